"""A server that is full says so in words, keeps what it has, and takes more once there is room."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys

import pytest
import servers
from plain_client import CHUNK, PlainClient
from servers import until
from test_front_protocol import job_body, shot

from shared.protocol.keys import client_keys

SMALL = """
import sys
from inference_server.front.limits import Limits
from inference_server.cli import main, serve
serve._limits = lambda options: Limits({})
sys.exit(main())
"""


def limited(limits: str):
    """For ``servers.recam``: the same command with other limits."""
    return lambda *arguments: [sys.executable, "-c", SMALL.format(limits), *map(str, arguments)]


@pytest.fixture
def limited_server(tmp_path, monkeypatch):
    made = servers.Server(tmp_path / "server")

    def start(limits: str) -> servers.Server:
        monkeypatch.setattr(servers, "recam", limited(limits))
        return made.start()

    yield start
    if made.process and made.process.poll() is None:
        made.stop()


def plain_client(server, name: str = "") -> PlainClient:
    """One with its own key, or a further one that the server is told of."""
    config = server.config
    if name:
        config = server.config / name
        config.mkdir()
        (config / "server.pub").write_bytes((server.config / "server.pub").read_bytes())
        client_keys(config)
        # Before it comes: libzmq does not try again after a refusal.
        allowed = server.run("keys", "allow", name, config / "client.pub")
        assert allowed.returncode == 0, allowed.stderr
    client = PlainClient(server.address, config)
    client.ask("hello", {"protocol": 1, "client": "plain 1"})
    return client


def begin(client, size: int, upload: str = "") -> tuple[str, dict]:
    body = {"upload": upload or secrets.token_hex(16), "size": size, "sha256": None}
    kind, told, _ = client.ask("blob.put", body)
    return kind, told


def test_jobs_that_wait_are_bounded_and_no_job_is_forgotten(limited_server):
    server = limited_server("waiting_per_client=2, waiting=3")
    ann, ben = plain_client(server), plain_client(server, "ben")
    clips = {
        client: client.upload(os.urandom(1000), secrets.token_hex(16)) for client in (ann, ben)
    }
    worker = server.worker()
    worker.suspend()
    bodies = [job_body([clips[ann]]) for _ in range(3)]
    for body in bodies[:2]:
        assert ann.ask("job.submit", body, shot())[0] == "job.accepted"
    kind, error, _ = ann.ask("job.submit", bodies[2], shot())
    assert (kind, error["code"]) == ("error", "client_limit") and "2 of your jobs" in error[
        "sentence"
    ]
    assert ann.ask("job.submit", bodies[0], shot())[0] == "job.accepted"  # the same once more
    assert ben.ask("job.submit", job_body([clips[ben]]), shot())[0] == "job.accepted"
    kind, error, _ = ben.ask("job.submit", job_body([clips[ben]]), shot())
    assert (kind, error["code"]) == ("error", "server_full") and "3 jobs wait" in error["sentence"]
    ann.ask("job.cancel", {"job": bodies[1]["job"]})
    worker.resume()
    until(lambda: ann.ask("job.submit", bodies[2], shot())[0] == "job.accepted")
    ann.close()
    ben.close()


def test_bytes_are_bounded_in_words_with_sizes(limited_server):
    server = limited_server("bytes=3_000_000, bytes_per_client=2_000_000")
    ann, ben = plain_client(server), plain_client(server, "ben")
    _, error = begin(ann, 2_500_000)
    assert error["code"] == "clip_size" and "2.5 MB" in error["sentence"]
    upload = secrets.token_hex(16)
    assert begin(ann, 1_500_000, upload)[0] == "blob.go"
    _, error = begin(ann, 600_000)
    assert error["code"] == "client_limit" and "1.5 MB" in error["sentence"]
    assert begin(ann, 1_500_000, upload)[0] == "blob.go"  # the same once more
    assert begin(ben, 1_400_000)[0] == "blob.go"
    _, error = begin(ben, 400_000)
    assert error["code"] == "server_full" and "400 kB" in error["sentence"]
    ann.close()
    ben.close()


def test_uploads_at_once_are_bounded_and_each_can_end(limited_server):
    server = limited_server("uploads_per_client=2")
    ann = plain_client(server)
    content, uploads = os.urandom(1000), [secrets.token_hex(16) for _ in range(3)]
    assert [begin(ann, 1000, upload)[0] for upload in uploads[:2]] == ["blob.go"] * 2
    for _ in range(3):
        assert begin(ann, 1000, uploads[2])[1]["code"] == "client_limit"
    log = (server.state / "log/recam.log").read_text().splitlines()
    (said,) = [json.loads(line) for line in log if "want of room" in line]  # once a minute
    assert (said["level"], said["code"], len(said["owner"])) == ("INFO", "client_limit", 8)
    ann.chunk(content, 0, uploads[0])
    digest = hashlib.sha256(content).hexdigest()
    assert ann.ask("blob.end", {"upload": uploads[0], "sha256": digest})[0] == "blob.held"
    assert begin(ann, 1000, uploads[2])[0] == "blob.go"
    ann.close()


def test_whoever_asks_and_never_waits_for_answers_is_told_and_others_are_served(limited_server):
    server = limited_server("unanswered=4, unsent=3 * 512 * 1024")
    ann, ben = plain_client(server), plain_client(server, "ben")
    digest = ann.upload(os.urandom(1000), secrets.token_hex(16))
    until(lambda: ann.ask("server.info", {})[1]["engines"])
    server.worker().suspend()  # estimates go unanswered
    estimate = {
        "engine": "projection", "width": 64, "height": 64, "frames": 8, "rate": "25",
        "settings": {}, "depth": False, "start": False,
    }  # fmt: skip
    numbers = [ann.send("job.estimate", estimate) for _ in range(6)]
    for _ in range(2):
        header, _ = ann.receive()
        assert header["re"] in numbers and header["body"]["code"] == "client_limit"
    assert ben.ask("server.info", {})[0] == "server.info"
    server.worker().resume()
    assert len({ann.receive()[0]["re"] for _ in range(4)}) == 4
    assert ann.ask("blob.have", {"sha256": digest})[0] == "blob.held"
    ann.close()
    ben.close()


def test_a_server_killed_within_an_upload_goes_on_with_what_is_whole(limited_server):
    server = limited_server("")
    ann = plain_client(server)
    content, upload = os.urandom(5 * CHUNK + 100), secrets.token_hex(16)
    begin(ann, len(content), upload)
    ann.chunk(content, 0, upload)
    ann.chunk(content, CHUNK, upload)
    server.kill()
    ann.close()
    # A torn tail: bytes that were never acknowledged, and are not the clip's.
    (file,) = server.state.glob(f"uploads/*/{upload}")
    with file.open("ab") as torn:
        torn.write(bytes(1000))
    server.start()
    ann = plain_client(server)
    offset = begin(ann, len(content), upload)[1]["offset"]
    assert offset == 2 * CHUNK + 1000
    chunk = content[offset : offset + CHUNK]
    whole = hashlib.sha256(content[: offset + len(chunk)]).hexdigest()
    head = {"upload": upload, "offset": offset, "sha256": whole}
    assert ann.ask("blob.chunk", head, chunk)[1]["code"] == "upload_damaged"
    assert begin(ann, len(content), upload)[1]["offset"] == 0
    for offset in range(0, len(content), CHUNK):
        ann.chunk(content, offset, upload)
    digest = hashlib.sha256(content).hexdigest()
    assert ann.ask("blob.end", {"upload": upload, "sha256": digest})[0] == "blob.held"
    ann.close()
