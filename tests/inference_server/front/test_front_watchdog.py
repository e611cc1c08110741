"""A worker that says nothing any more is ended; one that is long at something is left alone."""

from __future__ import annotations

import pytest
from servers import until
from slow_engine import copy_code
from takes import SHORT, request

from shared.client.client import Client

WAIT = 60.0

# Hangs in a library that never gives Python back, so many times; or is silent in another way.
HANGING = """

import re
from pathlib import Path


class Hanging(ProjectionEngine):
    settings = ProjectionEngine.settings | {"prompt", "seed"}

    def render(self, clip, source, path, settings, on_progress, should_stop):
        import time

        how, times = settings.pop("prompt", ""), settings.pop("seed", 0)
        if how == "hang":
            hung = Path(__file__).with_name("hung")
            before = int(hung.read_text()) if hung.exists() else 0
            hung.write_text(str(before + 1))
            if before < times:
                on_progress(0, 0, "hanging")
                re.match("(a+)+$", 64 * "a" + "b")
            hung.unlink()
        elif how == "ask":
            for _ in range(40):
                should_stop()
                time.sleep(0.1)
        elif how == "load":
            on_progress(0, 0, "loading the weights")
            time.sleep(4)
        yield from super().render(clip, source, path, settings, on_progress, should_stop)


ProjectionEngine = Hanging
"""
PATIENCE = """

PATIENCE_SECONDS["projection"] = {"": 2.0, "loading the weights": 60.0}
"""


@pytest.fixture
def shoot(server, short_clip, tmp_path):
    """Sends a job to an engine that hangs as it is told; the job."""
    server.stop()
    engines = copy_code(tmp_path / "code") / "inference_server/engines"
    for file, more in (("projection/engine.py", HANGING), ("registry.py", PATIENCE)):
        with (engines / file).open("a") as code:
            code.write(more)
    with Client(server.start(code=tmp_path / "code").address, patience=30) as client:

        def run(how="", times=0):
            asked = request(SHORT, settings={"prompt": how, "seed": times}, engine="projection")
            return client.shoot(asked, [short_clip], tmp_path / f"{how}{times}.mp4")

        yield run


def test_a_job_that_hangs_twice_is_set_aside_and_the_next_one_runs(server, shoot):
    worker = server.worker()
    job, behind = shoot("hang", 9), shoot()
    error = job.wait(WAIT).error
    assert error.code == "worker_hung" and "2 times" in error.sentence
    assert behind.wait(WAIT).stage == "finished"
    assert not worker.is_running()
    until(lambda: "in render" in _logged(server), 10)  # where it hung, from the process itself


def test_a_job_that_hangs_once_is_tried_again(shoot):
    assert shoot("hang", 1).wait(WAIT).stage == "finished"


def test_who_asks_whether_to_stop_or_says_that_it_loads_is_left_alone(server, shoot):
    worker = server.worker()
    assert [shoot(how).wait(WAIT).stage for how in ("ask", "load")] == ["finished"] * 2
    assert server.worker() == worker


def test_a_hung_job_can_be_cancelled(server, shoot):
    job = shoot("hang", 9)
    until(lambda: job.state.doing == "hanging")
    job.cancel()
    assert job.wait(WAIT).stage == "cancelled"
    assert shoot().wait(WAIT).stage == "finished"


def _logged(server) -> str:
    files = [server.log, *server.state.glob("log*/*"), *server.state.glob("*.log*")]
    return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())
