"""What a real server's log holds of real jobs: their ids, and none of the artist's own words."""

from __future__ import annotations

import json
import os
import sys

import pytest
from slow_engine import copy_code
from takes import SHORT, request

from shared.client.client import Client

WAIT = 60.0
CLIP, PROMPT = "ep07 secret rooftop", "a heroine nobody may hear of, at night, in the rain"

# Does what it is told by the number of takes, and speaks on every way there is.
TALKING = """

import logging
import os
import sys
import warnings


class Talking(ProjectionEngine):
    settings = ProjectionEngine.settings | {"prompt"}

    def render(self, clip, source, path, settings, *rest):
        logging.getLogger("library").warning("looking at %s: %s", NAME, settings.get("prompt"))
        warnings.warn("this is old", FutureWarning)
        os.write(2, b"printed by a library\\n")
        print("printed by the engine")
        print("too long, left out:", settings.get("prompt", "")[:29], file=sys.stderr)
        if settings.get("takes") == 2:
            raise KeyError(f"no frames in {NAME}")
        if settings.get("takes") == 3:
            os.abort()
        if settings.get("takes") == 4:
            for _ in range(2000):
                os.write(2, b"flood " * 1000 + b"\\n")
        yield from super().render(clip, source, path, settings, *rest)


ProjectionEngine = Talking
"""


@pytest.fixture
def talking(server, tmp_path):
    """A server whose engine talks; a client of it."""
    server.stop()
    code = copy_code(tmp_path / "code")
    with (code / "inference_server/engines/projection/engine.py").open("a") as engine:
        engine.write(f"\nNAME = {CLIP!r}\n{TALKING}")
    with Client(server.start(code=code).address, patience=30) as made:
        yield made


def records(server) -> list[dict]:
    file = server.state / "log/recam.log"
    return [json.loads(line) for line in file.read_text().splitlines()]


def shoot(client, clip, folder, takes=1):
    more = {"name": CLIP, "engine": "projection", "settings": {"prompt": PROMPT, "takes": takes}}
    job = client.shoot(request(SHORT, **more), [clip], folder / f"{takes}.mp4")
    return job, job.wait(WAIT)


def test_each_word_on_a_job_has_its_id_and_none_has_the_artists_words(
    server, talking, short_clip, tmp_path
):
    good, state = shoot(talking, short_clip, tmp_path)
    assert state.stage == "finished", state
    bad, state = shoot(talking, short_clip, tmp_path, takes=2)
    assert state.error.code == "engine_fault"
    said = records(server)

    front = [r["message"] for r in said if r.get("job") == good.id and r["process"] == "front"]
    assert front == ["job accepted", "job started", "job finished"]
    finished = next(r for r in said if r["message"] == "job finished")
    assert finished["takes"] == 1 and finished["bytes"] == (tmp_path / "1.mp4").stat().st_size
    assert finished["engine"] == "projection" and finished["seconds"] > 0
    assert len(finished["owner"]) == 8
    failed = next(r for r in said if r["message"] == "job failed")
    assert (failed["job"], failed["code"], failed["level"]) == (bad.id, "engine_fault", "WARNING")

    worker = [r for r in said if r["process"].startswith("worker")]
    assert {r["job"] for r in worker if r["logger"] == "library"} == {good.id, bad.id}
    for printed in ("printed by a library", "printed by the engine"):
        jobs = [r["job"] for r in worker if r["message"] == printed]
        assert jobs == [good.id, bad.id]
    assert any("this is old" in r["message"] for r in worker)
    (fault,) = [r for r in worker if "exception" in r]
    assert fault["job"] == bad.id and "KeyError" in fault["exception"]
    for log in (server.log, server.state / "log/recam.log"):
        text = log.read_text()
        assert good.id in text
        for word in (CLIP, PROMPT, "heroine", *keys(server)):
            assert word not in text
    assert "job finished (job " in server.log.read_text()


def test_a_crash_in_a_library_leaves_its_trace(server, talking, short_clip, tmp_path):
    job, state = shoot(talking, short_clip, tmp_path, takes=3)
    assert state.error.code == "worker_died"
    said = records(server)
    again = [r for r in said if r["message"] == "job queued again"]
    assert [r["blameless"] for r in again] == [False]
    crash = [r for r in said if "Fatal Python error: Aborted" in r["message"]]
    assert [r["job"] for r in crash] == [job.id, job.id]  # it took two workers down


def test_a_worker_that_prints_without_end_costs_a_bounded_log(
    server, talking, short_clip, tmp_path
):
    _, state = shoot(talking, short_clip, tmp_path, takes=4)
    assert state.stage == "finished", state
    flood = [r for r in records(server) if r["message"].startswith("flood")]
    assert 0 < len(flood) <= 200
    assert all(len(r["message"]) <= 1000 for r in flood)


def test_a_restart_goes_on_with_the_log_and_quiet_leaves_stderr_alone(server, short_clip):
    before = records(server)
    server.stop()
    said_before = server.log.read_text()
    server.start(more=["--quiet"])
    server.stop()
    after = records(server)
    assert after[: len(before)] == before
    messages = [r["message"] for r in after]
    assert messages.count("the server listens") == 2
    assert messages.count("the server has stopped") == 2
    assert server.log.read_text() == said_before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_disk_that_is_full_for_the_log_stops_nothing(server, short_clip, tmp_path):
    server.stop()
    log = server.state / "log/recam.log"
    log.unlink()
    log.symlink_to("/dev/full")
    with Client(server.start().address, patience=30) as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "o.mp4")
        assert job.wait(WAIT).stage == "finished"
        log.unlink()  # there is room again
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "o2.mp4")
        assert job.wait(WAIT).stage == "finished"
    assert [r["message"] for r in records(server) if r.get("job") == job.id][-1] == "job finished"
    assert server.log.read_text().count("the log cannot be written") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
def test_nobody_else_may_read_the_log(server):
    assert (server.state / "log").stat().st_mode & 0o077 == 0


def keys(server) -> list[str]:
    return [file.read_text().strip() for file in server.config.glob("*.key")]


def test_why_a_server_does_not_serve_is_in_its_log(server):
    address = f"127.0.0.1:{server.port}"
    other = server.environment | {"RECAM_STATE": str(server.state.with_name("other"))}
    done = server.run("serve", "--port", server.port, "--quiet", env=other)
    assert done.returncode == 1 and address in done.stderr
    log = (server.state.with_name("other") / "log/recam.log").read_text()
    assert json.loads(log.splitlines()[-1])["code"] == "address_in_use"
