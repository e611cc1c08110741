"""Footage that is deleted on delivery, and footage that is not."""

from __future__ import annotations

import os

import pytest
import servers
from plain_client import PlainClient
from servers import Server, until
from takes import LONG, SHORT, rendering, request, write_clip
from test_front_protocol import job_body, shot

from shared.client.client import Client

WAIT = 90.0


@pytest.fixture
def plain(server):
    made = PlainClient(server.address, server.config)
    made.ask("hello", {"protocol": 1, "client": "plain 1"})
    yield made
    made.close()


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.mp4", SHORT, 96, 64).read_bytes()


def rendered(plain, digest: str, **more) -> str:
    """The id of a job that is finished."""
    body = job_body([digest], **more)
    assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
    until(lambda: plain.ask("job.attach", {"job": body["job"]})[1]["stage"] == "finished")
    return body["job"]


def lies(server: Server) -> set[str]:
    """What there is of footage."""
    return {
        path.parts[-3]
        for path in server.state.glob("*/*/*")
        if path.is_file() or "results" in str(path)
    } - {"log"}


def code(plain, kind: str, body: dict) -> str:
    return plain.ask(kind, body)[1].get("code", "")


def test_what_is_to_go_goes_with_its_delivery(server, plain, clip):
    digest = plain.upload(clip, "a" * 32)
    job = rendered(plain, digest, delete_on_delivery=True)
    first = {"job": job, "take": 0, "offset": 0}
    assert plain.ask("result.get", first)[0] == "result.chunk"
    kind, state, _ = plain.ask("result.delivered", {"job": job})
    assert (kind, state["stage"]) == ("job.state", "finished")
    assert not lies(server)
    assert code(plain, "result.get", first) == "result_gone"
    assert plain.ask("blob.have", {"sha256": digest})[0] == "blob.missing"
    assert plain.ask("result.delivered", {"job": job})[0] == "job.state"  # once more


def test_not_a_word_of_it_is_left_on_the_server(server, plain, clip):
    """The clip's name and a setting, of a job that was delivered and of one that was cancelled."""
    prompts = server.state / "prompts"
    prompts.mkdir()
    older = prompts / "prompt-0.safetensors"
    older.touch()
    os.utime(older, (1, 1))
    told = {"name": "whatitwascalled.mp4", "delete_on_delivery": True}
    digest = plain.upload(clip, "a" * 32)
    delivered = rendered(plain, digest, **told)
    (prompts / "prompt-1.safetensors").touch()
    assert words_left(server, "whatitwascalled")
    state = plain.ask("result.delivered", {"job": delivered})[1]
    assert (state["name"], state["remarks"], state["result"]["remarks"]) == ("deleted", [], [])
    assert not words_left(server, "whatitwascalled") and [*prompts.iterdir()] == [older]
    assert not words_left(server, digest)
    server.worker().suspend()
    told |= {"engine": "projection", "settings": {"takes": 1}}
    digest = plain.upload(clip, "b" * 32)
    jobs = [job_body([digest], **told) for _ in range(2)]
    for body in jobs:
        assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
    for body in jobs:
        plain.ask("job.cancel", {"job": body["job"]})
    server.worker().resume()
    until(lambda: plain.ask("job.attach", {"job": jobs[0]["job"]})[1]["stage"] == "cancelled")
    until(lambda: not lies(server))
    until(lambda: not words_left(server, "whatitwascalled"))
    listed = plain.ask("job.list", {})[1]["jobs"]
    assert {job["name"] for job in listed} == {"deleted"}


def words_left(server: Server, words: str) -> list:
    """The files of the state folder that hold them."""
    return [
        file
        for file in server.state.rglob("*")
        if file.is_file() and words.encode() in file.read_bytes()
    ]


def test_what_was_not_to_go_stays(server, plain, clip):
    digest = plain.upload(clip, "a" * 32)
    job = rendered(plain, digest)
    assert plain.ask("result.delivered", {"job": job})[0] == "job.state"
    assert lies(server) == {"clips", "results"}
    assert plain.ask("result.get", {"job": job, "take": 0, "offset": 0})[0] == "result.chunk"


def test_nothing_is_delivered_before_there_is_a_result(plain):
    assert code(plain, "result.delivered", {"job": "0" * 32}) == "no_such_job"


def test_a_clip_that_another_job_waits_for_stays_until_that_one_is_delivered(server, plain, clip):
    digest = plain.upload(clip, "a" * 32)
    first = rendered(plain, digest, delete_on_delivery=True)
    server.worker().suspend()
    body = job_body([digest], delete_on_delivery=True)
    assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
    plain.ask("result.delivered", {"job": first})
    assert lies(server) >= {"clips"} and code(
        plain, "result.get", {"job": first, "take": 0, "offset": 0}
    )
    server.worker().resume()
    until(lambda: plain.ask("job.attach", {"job": body["job"]})[1]["stage"] == "finished")
    plain.ask("result.delivered", {"job": body["job"]})
    assert not lies(server)


def test_a_job_that_brings_nothing_leaves_nothing(server, plain, tmp_path):
    with Client(server.address) as client:
        long = write_clip(tmp_path / "long.mp4", LONG, 320, 180)
        job = client.shoot(request(LONG, delete_on_delivery=True), [long], tmp_path / "take.mp4")
        rendering(job)
        job.cancel()
        assert job.wait(WAIT).stage == "cancelled"
    until(lambda: not lies(server))
    broken = plain.upload(b"no video", "b" * 32)
    body = job_body([broken], delete_on_delivery=True)
    plain.ask("job.submit", body, shot())
    until(lambda: plain.ask("job.attach", {"job": body["job"]})[1]["stage"] == "failed")
    until(lambda: not lies(server))


def test_a_server_that_died_before_it_had_deleted_does_so_when_it_starts(server, plain, clip):
    digest = plain.upload(clip, "a" * 32)
    rendered(plain, digest, delete_on_delivery=True)
    (result,) = server.state.glob("results/*/*")
    server.kill()
    for take in result.iterdir():
        take.unlink()
    result.rmdir()
    server.start()
    until(lambda: not lies(server))


def test_a_server_that_deletes_on_delivery_asks_nobody(tmp_path, monkeypatch, clip):
    plain_recam = servers.recam
    monkeypatch.setattr(
        servers, "recam", lambda *words: [*plain_recam(*words), "--delete-on-delivery"]
    )
    server = Server(tmp_path / "server").start()
    try:
        plain = PlainClient(server.address, server.config)
        plain.ask("hello", {"protocol": 1, "client": "plain 1"})
        job = rendered(plain, plain.upload(clip, "a" * 32))
        plain.ask("result.delivered", {"job": job})
        assert not lies(server)
        plain.close()
    finally:
        server.stop()
