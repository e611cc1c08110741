"""Uploads as clients in another language see them that die, come back, or meet each other."""

from __future__ import annotations

import hashlib
import os

import pytest
from plain_client import CHUNK, PlainClient
from test_front_protocol import job_body, shot

from shared.protocol.request import new_id

CONTENT = os.urandom(5 * CHUNK + 77)


@pytest.fixture
def plain(shared_server):
    made = PlainClient(shared_server.address, shared_server.config)
    yield made
    made.close()


@pytest.fixture
def other(shared_server):
    made = PlainClient(shared_server.address, shared_server.config)
    yield made
    made.close()


def put(client, upload: str, content: bytes = CONTENT) -> tuple[str, dict]:
    asked = {"upload": upload, "size": len(content), "sha256": None}
    return client.ask("blob.put", asked)[:2]


def end(client, upload: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return client.ask("blob.end", {"upload": upload, "sha256": digest})[0]


def test_a_chunk_that_is_sent_again_is_acknowledged(plain, shared_server):
    upload, content = new_id(), CONTENT + b"a"
    assert put(plain, upload, content) == ("blob.go", {"upload": upload, "offset": 0})
    for offset in (0, CHUNK):
        plain.chunk(content, offset, upload)
    head = {"upload": upload, "offset": 0, "sha256": hashlib.sha256(content[:CHUNK]).hexdigest()}
    kind, body, _ = plain.ask("blob.chunk", head, content[:CHUNK])
    assert (kind, body["offset"]) == ("blob.ack", 2 * CHUNK)
    for offset in range(2 * CHUNK, len(content), CHUNK):
        plain.chunk(content, offset, upload)
    assert end(plain, upload, content) == "blob.held"
    digest = hashlib.sha256(content).hexdigest()
    [clip] = shared_server.state.glob(f"clips/*/{digest}")
    assert clip.read_bytes() == content


def test_two_connections_send_one_upload_together(plain, other, shared_server):
    upload, content = new_id(), CONTENT + b"b"
    put(plain, upload, content)
    for offset in (0, CHUNK):
        plain.chunk(content, offset, upload)
    assert put(other, upload, content) == ("blob.go", {"upload": upload, "offset": 2 * CHUNK})
    for client, offset in ((other, 2), (plain, 3), (plain, 4), (other, 5)):
        client.chunk(content, offset * CHUNK, upload)
    assert end(other, upload, content) == "blob.held"
    assert end(plain, upload, content) == "blob.held"
    digest = hashlib.sha256(content).hexdigest()
    [clip] = shared_server.state.glob(f"clips/*/{digest}")
    assert clip.read_bytes() == content
    assert not [*shared_server.state.glob(f"uploads/*/{upload}")]


def test_an_upload_whose_next_chunk_does_not_fit_begins_again(plain, shared_server):
    upload, content = new_id(), CONTENT + b"c"
    put(plain, upload, os.urandom(len(content)))
    plain.chunk(os.urandom(CHUNK), 0, upload)
    head = {
        "upload": upload,
        "offset": CHUNK,
        "sha256": hashlib.sha256(content[: 2 * CHUNK]).hexdigest(),
    }
    kind, body, _ = plain.ask("blob.chunk", head, content[CHUNK : 2 * CHUNK])
    assert (kind, body["code"]) == ("error", "upload_damaged")
    assert put(plain, upload, content) == ("blob.go", {"upload": upload, "offset": 0})
    for offset in range(0, len(content), CHUNK):
        plain.chunk(content, offset, upload)
    assert end(plain, upload, content) == "blob.held"


def drop(client, upload: str, content: bytes | None = None) -> None:
    digest = content and hashlib.sha256(content).hexdigest()
    asked = {"upload": upload, "sha256": digest}
    assert client.ask("blob.drop", asked)[:2] == ("blob.dropped", {"upload": upload})


def lying(server, name: str) -> list:
    return [path for path in server.state.rglob("*") if path.is_file() and name in path.name]


def test_what_is_dropped_is_gone(plain, shared_server):
    upload, content = new_id(), CONTENT + b"d"
    put(plain, upload, content)
    plain.chunk(content, 0, upload)
    assert lying(shared_server, upload)
    drop(plain, upload)
    assert not lying(shared_server, upload)
    drop(plain, upload, content)  # once more, and of a clip that is not there
    assert put(plain, upload, content) == ("blob.go", {"upload": upload, "offset": 0})
    drop(plain, upload)


def test_what_another_connection_sends_is_not_dropped(plain, other, shared_server):
    upload, content = new_id(), CONTENT + b"e"
    put(plain, upload, content)
    plain.chunk(content, 0, upload)
    put(other, upload, content)
    other.chunk(content, CHUNK, upload)
    drop(plain, upload, content)
    for number in range(2, 6):
        other.chunk(content, number * CHUNK, upload)
    assert end(other, upload, content) == "blob.held"


def test_a_clip_is_dropped_unless_a_job_names_it(plain, shared_server):
    content = CONTENT + b"f"
    digest = plain.upload(content, new_id())
    drop(plain, new_id())
    assert lying(shared_server, digest)
    drop(plain, new_id(), content)
    assert not lying(shared_server, digest)
    plain.upload(content, new_id())
    body = job_body([digest])
    assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
    drop(plain, new_id(), content)
    assert lying(shared_server, digest)
    plain.ask("job.cancel", {"job": body["job"]})
