"""An engine that is long at one thing heeds a cancel late: ReCamMaster is given the time."""

from __future__ import annotations

from argparse import Namespace

import pytest
from servers import until
from slow_engine import copy_code
from takes import LONG, request

from inference_server.cli import jobs
from shared.client.client import Client

WAIT = 60.0

# Both names mean one engine, which does not listen for a while before a clip that is long.
DEAF = """

class Deaf(ProjectionEngine):
    def render(self, clip, *rest):
        import time

        rest[-2](0, 0, "not listening")
        time.sleep(4 if clip.frames > 100 else 0)
        yield from super().render(clip, *rest)


ProjectionEngine = Deaf
"""
BOTH = """

def engine_statuses(releases):
    return [EngineStatus(name, "", True, "") for name in ENGINES]


_load = load


def load(name, releases):
    return _load("projection", releases)
"""


@pytest.fixture
def deaf_server(server, tmp_path):
    server.stop()
    engines = copy_code(tmp_path / "code") / "inference_server/engines"
    for file, more in (("projection/engine.py", DEAF), ("registry.py", BOTH)):
        with (engines / file).open("a") as code:
            code.write(more)
    return server.start(code=tmp_path / "code")


@pytest.fixture
def deaf_job(deaf_server, long_clip, tmp_path):
    """Makes a job with that engine, and returns it as soon as nothing is heeded."""
    with Client(deaf_server.address, patience=30) as client:

        def run(engine):
            out = tmp_path / f"{engine}.mp4"
            job = client.shoot(request(LONG, engine=engine), [long_clip], out)
            until(lambda: job.state.doing == "not listening")
            return job

        yield run


def test_a_worker_is_killed_only_after_its_engines_time(deaf_server, deaf_job):
    for engine, lane in (("recammaster", "model"), ("projection", "preview")):
        job = deaf_job(engine)
        worker = deaf_server.worker(lane)
        job.cancel()
        state = until(lambda job=job: job.state if job.state.stage != "rendering" else None)
        assert (state.stage, state.doing) == ("cancelling", "")
        assert job.wait(WAIT).stage == "cancelled"
        assert worker.is_running() == (engine == "recammaster")
    until(lambda: deaf_server.worker().is_running())


def test_the_command_does_not_wait_for_an_engine_that_is_long(
    deaf_server, deaf_job, monkeypatch, capsys
):
    monkeypatch.setattr(jobs, "PATIENCE", 0.0)
    job = deaf_job("recammaster")
    asked = Namespace(job=job.id, server=deaf_server.address, server_key=None)
    assert jobs.run_cancel(asked) == 0
    assert "is being cancelled" in capsys.readouterr().out
    assert job.wait(WAIT).stage == "cancelled"
