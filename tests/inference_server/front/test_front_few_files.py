"""A server whose system opens no more files says what passes, and goes on once it does."""

from __future__ import annotations

import secrets
from contextlib import contextmanager

import psutil
import pytest
from plain_client import PlainClient
from servers import until
from test_front_protocol import job_body, shot

resource = pytest.importorskip("resource")  # Windows has none
if not hasattr(psutil.Process, "rlimit"):
    pytest.skip("this system limits no running process", allow_module_level=True)


@pytest.fixture
def plain(server):
    made = PlainClient(server.address, server.config)
    made.ask("hello", {"protocol": 1, "client": "plain 1"})
    yield made
    made.close()


@contextmanager
def no_files(server):
    """Inside, the front gets no further file."""
    front = psutil.Process(server.process.pid)
    before = front.rlimit(resource.RLIMIT_NOFILE)
    front.rlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    yield
    front.rlimit(resource.RLIMIT_NOFILE, before)


def test_a_take_that_cannot_be_opened_now_is_not_called_gone(server, plain, short_clip):
    body = job_body([plain.upload(short_clip.read_bytes(), secrets.token_hex(16))])
    assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
    until(lambda: plain.ask("job.attach", {"job": body["job"]})[1]["stage"] == "finished")
    first = {"job": body["job"], "take": 0, "offset": 0}
    with no_files(server):
        kind, told, _ = plain.ask("result.get", first)
        assert (kind, told["code"]) == ("error", "server_disk"), told
        assert "open files" in told["sentence"]
        kind, told, _ = plain.ask("result.delivered", {"job": body["job"]})
        assert (kind, told["code"]) == ("error", "server_disk"), told
    assert plain.ask("result.get", first)[0] == "result.chunk"
    for take in server.state.glob("results/*/*/take.mp4"):
        take.unlink()
    assert plain.ask("result.get", first)[1]["code"] == "result_gone"


def test_a_long_shot_that_cannot_be_read_now_is_not_called_wrong_or_gone(server, plain, short_clip):
    clip = plain.upload(short_clip.read_bytes(), secrets.token_hex(16))
    body = job_body([clip], shot=plain.upload(shot(20_000), secrets.token_hex(16)))
    with no_files(server):
        kind, told, _ = plain.ask("job.submit", body)
        assert (kind, told["code"]) == ("error", "server_busy"), told
    assert plain.ask("job.submit", body)[0] == "job.accepted"
