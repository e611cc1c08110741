"""A server without room: what is to be sent waits, in words, and goes on by itself."""

from __future__ import annotations

import pytest
from odd_server import OddServer
from servers import until
from takes import SHORT, request

from shared.client import room
from shared.client.client import Client

WAIT = 30.0


@pytest.fixture(autouse=True)
def soon(tmp_path, monkeypatch):
    """Keys of one's own, and pauses that a test has time for."""
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(room, "FIRST_SECONDS", 0.05)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip " * 100_000)
    return path


@pytest.fixture
def out(tmp_path):
    (tmp_path / "takes").mkdir()
    return tmp_path / "takes" / "take.mp4"


def refusing(code: str, times: int, then):
    """Says so many times that there is no room."""
    left = [times]

    def answer(body, data):
        if left[0]:
            left[0] -= 1
            return "error", {"code": code, "sentence": "It is full.", "hint": "Wait."}
        return then(body, data)

    return answer


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("blob.put", "client_limit"),
        ("blob.chunk", "server_disk"),
        ("blob.end", "server_disk"),
        ("job.submit", "server_full"),
        ("result.get", "server_busy"),
    ],
)
def test_what_the_server_has_no_room_for_is_sent_later(where, code, clip, out):
    with OddServer() as server, Client(server.address) as client:
        real = getattr(server, "_" + where.replace(".", "_"))
        server.says[where] = refusing(code, 3, real)
        sent = client.shoot(request(SHORT), [clip], out)
        until(lambda: sent.state.trouble)
        said = sent.state
        then = room.FETCHED if where == "result.get" else room.SENT
        assert said.trouble == f"It is full. {then} Wait."
        assert sent.wait(WAIT).stage == "finished" and not sent.state.trouble
        assert out.read_bytes() == server.take
        assert server.asked.count(where) > 3


def test_what_waits_for_room_can_be_cancelled(clip, out):
    full = "error", {"code": "server_full", "sentence": "It is full.", "hint": ""}
    with OddServer(job_submit=full) as server, Client(server.address) as client:
        sent = client.shoot(request(SHORT), [clip], out)
        until(lambda: sent.state.trouble)
        sent.cancel()
        assert sent.wait(WAIT).stage == "cancelled"
        tried = server.asked.count("job.submit")
        client.ask("blob.have", {"sha256": "0" * 64}).result(WAIT)
        assert server.asked.count("job.submit") == tried


def test_what_will_not_pass_is_no_reason_to_wait(clip, out):
    large = "error", {"code": "clip_size", "sentence": "It is too large.", "hint": ""}
    with OddServer(blob_put=large) as server, Client(server.address) as client:
        assert client.shoot(request(SHORT), [clip], out).wait(WAIT).error.code == "clip_size"
        assert server.asked.count("blob.put") == 1


def test_a_clip_that_is_deleted_before_its_job_comes_is_sent_again(clip, out):
    with OddServer() as server, Client(server.address) as client:
        server.says["job.submit"] = refusing("clip_gone", 1, server._job_submit)
        assert client.shoot(request(SHORT), [clip], out).wait(WAIT).stage == "finished"
        assert server.asked.count("blob.end") == 2
        server.says["job.submit"] = refusing("clip_gone", 100, server._job_submit)
        assert client.shoot(request(SHORT), [clip], out).wait(WAIT).error.code == "clip_gone"
