"""docs/protocol.md is enough to write a client; and what the server does with worse ones."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import secrets

import pytest
import zmq
from plain_client import CHUNK, PlainClient

STILL = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
FRAMES = 8


def shot(frames: int = FRAMES) -> bytes:
    camera = {"lenses": [[0.97, 1.7, 0.5, 0.5]], "poses": [STILL] * frames}
    return json.dumps(
        {
            "format": "recam-shot",
            "version": 1,
            "axes": "x right, y down, z forward",
            "units": "metres",
            "rate": "25",
            "trajectory": camera,
        }
    ).encode()


def job_body(parts: list[str], **changes) -> dict:
    return {
        "job": secrets.token_hex(16),
        "engine": "auto",
        "name": "clip",
        "parts": parts,
        "first": 0,
        "depth": None,
        "start": None,
        "audio": True,
        "untagged_matrix": None,
        "settings": {},
    } | changes


@pytest.fixture
def plain(shared_server):
    client = PlainClient(shared_server.address, shared_server.config)
    client.ask("hello", {"protocol": 1, "client": "plain 1"})
    yield client
    client.close()


def refused(plain, kind: str, body: dict, data: bytes | None = None) -> str:
    answer, error, _ = plain.ask(kind, body, data)
    assert answer == "error", (answer, error)
    assert set(error) == {"code", "sentence", "hint"} and error["sentence"].endswith(".")
    return error["code"]


def alive(plain) -> None:
    assert plain.ask("server.info", {})[0] == "server.info"


def test_a_client_from_the_document_alone_gets_its_take(shared_server, short_clip):
    plain = PlainClient(shared_server.address, shared_server.config)
    kind, about, _ = plain.ask("hello", {"protocol": 1, "client": "plain 1"})
    assert kind == "welcome"
    assert (about["protocol"], about["chunk_bytes"], about["credit"]) == (1, CHUNK, 8)

    clip = short_clip.read_bytes()
    digest = hashlib.sha256(clip).hexdigest()
    assert plain.ask("blob.have", {"sha256": digest})[0] == "blob.missing"
    assert plain.upload(clip, secrets.token_hex(16)) == digest
    assert plain.ask("blob.have", {"sha256": digest})[0] == "blob.held"

    body = job_body([digest])
    assert plain.ask("job.submit", body, shot())[:2] == ("job.accepted", {"job": body["job"]})
    stages = []
    while (state := plain.next_event())["stage"] != "finished":
        assert state["stage"] in ("queued", "rendering") and state["job"] == body["job"]
        stages.append(state["stage"])
    assert "rendering" in stages
    assert state == plain.ask("job.attach", {"job": body["job"]})[1]
    assert state in plain.ask("job.list", {})[1]["jobs"]
    assert set(state) == {
        "job", "name", "stage", "doing", "step", "steps", "seconds_left", "picture", "remarks",
        "ahead", "engine", "engine_reason", "result", "error", "accepted", "ended",
    }  # fmt: skip

    (told,), take = state["result"]["takes"], b""
    assert (told["frames"], told["width"], told["height"]) == (FRAMES, 96, 64)
    wanted = {"job": body["job"], "take": 0}
    while len(take) < told["size"]:
        kind, head, chunk = plain.ask("result.get", wanted | {"offset": len(take)})
        assert (kind, head["take"], head["offset"]) == ("result.chunk", 0, len(take))
        take += chunk
    assert hashlib.sha256(take).hexdigest() == told["sha256"]
    assert refused(plain, "result.get", wanted | {"take": 1, "offset": 0}) == "no_result"
    plain.close()


def test_an_upload_goes_on_at_the_offset_that_it_had_reached(plain):
    content, upload = os.urandom(2 * CHUNK + 100), secrets.token_hex(16)
    begin = {"upload": upload, "size": len(content), "sha256": None}
    assert plain.ask("blob.put", begin)[1]["offset"] == 0
    plain.chunk(content, 0, upload)
    assert plain.ask("blob.put", begin)[1]["offset"] == CHUNK
    plain.chunk(content, CHUNK, upload)
    plain.chunk(content, 2 * CHUNK, upload)
    digest = hashlib.sha256(content).hexdigest()
    assert plain.ask("blob.end", {"upload": upload, "sha256": digest})[0] == "blob.held"
    assert plain.ask("blob.put", begin | {"sha256": digest})[0] == "blob.held"


def test_a_chunk_that_is_damaged_or_out_of_order_is_refused(plain):
    content, upload = os.urandom(2 * CHUNK), secrets.token_hex(16)
    first, second = content[:CHUNK], content[CHUNK:]
    right = hashlib.sha256(first).hexdigest()
    begin = {"upload": upload, "size": len(content), "sha256": None}
    head = {"upload": upload, "offset": 0, "sha256": right}
    assert refused(plain, "blob.chunk", head, first) == "upload_chunk"  # not begun
    plain.ask("blob.put", begin)
    assert refused(plain, "blob.chunk", head | {"offset": CHUNK}, second) == "upload_chunk"
    assert refused(plain, "blob.chunk", head) == "bad_message"  # no data
    assert refused(plain, "blob.chunk", head, second) == "upload_damaged"
    assert plain.ask("blob.put", begin)[1]["offset"] == 0
    plain.chunk(content, 0, upload)
    plain.chunk(content, CHUNK, upload)
    beyond = head | {"offset": 2 * CHUNK}
    assert refused(plain, "blob.chunk", beyond, first) == "upload_chunk"
    alive(plain)


def test_a_file_that_is_not_what_was_announced_is_not_kept(shared_server, plain):
    content, upload = b"one thing", secrets.token_hex(16)
    plain.ask("blob.put", {"upload": upload, "size": len(content), "sha256": None})
    plain.chunk(content, 0, upload)
    other = hashlib.sha256(b"another").hexdigest()
    assert refused(plain, "blob.end", {"upload": upload, "sha256": other}) == "upload_damaged"
    assert plain.ask("blob.have", {"sha256": other})[0] == "blob.missing"
    assert not [*shared_server.state.glob(f"*/*/{upload}")]


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("job.frobnicate", {}, "unknown_message"),
        ("hello", {"protocol": "1", "client": ""}, "bad_message"),
        ("blob.have", {"sha256": "../../../etc/passwd"}, "bad_message"),
        ("blob.put", {"upload": "../x", "size": 3, "sha256": None}, "bad_message"),
        ("blob.put", {"upload": "0" * 32, "size": 0, "sha256": None}, "bad_message"),
        ("blob.put", {"upload": "0" * 32, "size": 1 << 60, "sha256": None}, "bad_message"),
        ("job.attach", {"job": "0" * 32}, "no_such_job"),
        ("job.cancel", {"job": "0" * 32}, "no_such_job"),
        ("result.get", {"job": "0" * 32, "take": 0, "offset": 0}, "no_such_job"),
        ("job.attach", {}, "bad_message"),
        ("job.submit", {}, "bad_message"),
        ("job.submit", job_body(["ab" * 32]), "clip_gone"),
        ("job.submit", job_body(["ab" * 32], engine="magic"), "engine_unknown"),
        ("job.submit", job_body(["ab" * 32], settings={"stepz": 1}), "setting"),
        ("job.submit", job_body(["ab" * 32], settings={"takes": 99}), "setting"),
        ("job.submit", job_body(["ab" * 32], settings={"start_clip": "ab" * 32}), "setting"),
        ("job.submit", job_body(["ab" * 32], start="../x"), "bad_message"),
    ],
    # Not by the whole body: a job's id is another in each process that collects the tests.
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_a_request_that_makes_no_sense_is_answered_in_words(plain, kind, body, code):
    assert refused(plain, kind, body, shot() if kind == "job.submit" else None) == code
    alive(plain)


class Trap:
    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return os.mkdir, (self.file,)


def test_a_pickle_does_nothing(plain, tmp_path):
    sprung = tmp_path / "sprung"
    payload = pickle.dumps(Trap(sprung))
    for frames in (
        [payload],
        [payload, payload],
        [b"", payload],
        [json.dumps(payload.hex()).encode()],
    ):
        plain.socket.send_multipart(frames)
        header, _ = plain.receive()
        assert (header["type"], header["body"]["code"]) == ("error", "bad_message")
    assert refused(plain, "job.submit", job_body(["ab" * 32]), payload) == "bad_message"
    assert not sprung.exists()
    pickle.loads(payload)  # the trap is a real one
    assert sprung.exists()


def test_a_long_shot_comes_as_a_file(plain, short_clip, shared_server):
    clip = plain.upload(short_clip.read_bytes(), secrets.token_hex(16))
    long = shot(20_000)
    assert len(long) > CHUNK
    named = plain.upload(long, secrets.token_hex(16))
    body = job_body([clip], shot=named)
    for _ in range(2):  # as after a broken connection: the second one may find no file any more
        plain.send("job.submit", body)
    told = []
    while len(told) < 2:
        header, _ = plain.receive()
        if header["re"] is not None:
            told.append((header["type"], header["body"]))
        else:
            plain.events.append(header)
    assert told == [("job.accepted", {"job": body["job"]})] * 2
    assert plain.ask("blob.have", {"sha256": named})[0] == "blob.missing"
    while (state := plain.next_event())["stage"] != "failed":
        pass
    assert state["error"]["code"] == "clip_truncated" and "20" in state["error"]["sentence"]
    assert refused(plain, "job.submit", job_body([clip], shot=named)) == "clip_gone"
    assert refused(plain, "job.submit", job_body([clip], shot=clip)) == "bad_message"
    assert plain.ask("blob.have", {"sha256": clip})[0] == "blob.held"


def test_a_shot_that_is_a_waiting_jobs_clip_too_stays(plain):
    named = plain.upload(shot(), secrets.token_hex(16))
    body = job_body([named], shot=named)
    assert plain.ask("job.submit", body)[0] == "job.accepted"
    while (state := plain.next_event())["stage"] not in ("failed", "finished"):
        pass
    assert state["error"]["code"] == "clip_unreadable"


def test_noise_is_answered_and_survived(plain):
    noise = [[b""], [b"\0" * 100], [b"{}"], [b"x"] * 5, [b"[" * 50_000], [os.urandom(1 << 20)]]
    for frames in noise:
        plain.socket.send_multipart(frames)
        assert plain.receive()[0]["type"] == "error"
    alive(plain)


def test_another_version_is_told_apart(plain):
    header = {"recam": 2, "type": "hello", "id": 1, "re": None, "body": {}}
    plain.socket.send(json.dumps(header).encode())
    assert plain.receive()[0]["body"]["code"] == "protocol_version"
    kind, told, _ = plain.ask("hello", {"protocol": 2, "client": "plain 2"})
    assert (kind, told["code"]) == ("error", "protocol_version") and "version 2" in told["sentence"]


def test_a_connection_without_encryption_gets_nowhere(shared_server):
    with zmq.Context.instance().socket(zmq.DEALER) as bare:
        bare.linger = 0
        bare.connect(shared_server.address)
        bare.send(b'{"recam": 1, "type": "hello", "id": 1, "re": null, "body": {}}')
        assert not bare.poll(500)
    assert "Traceback" not in shared_server.log.read_text()
