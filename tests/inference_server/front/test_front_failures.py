"""Jobs that fail in the engine, one way after another; the worker keeps nothing of them."""

from __future__ import annotations

import pytest
from slow_engine import copy_code
from takes import SHORT, request

from shared.client.client import Client

WAIT = 60.0

# Fails when two takes are asked for, each time another way; else says what is left of that. With
# three, its memory runs out while a thread goes on that keeps the process from ending.
FAILING = """

import gc
import threading
import time
import weakref
from shared.errors import RecamError

gc.disable()  # nothing goes by chance
FAULTS = [KeyError("x"), RecamError("memory_short", "Too large.", "Less."), MemoryError()]
HELD = weakref.WeakSet()


class Picture:
    pass


class Failing(ProjectionEngine):
    def render(self, clip, source, path, settings, *rest):
        if settings.get("takes") == 2:
            picture = Picture()
            HELD.add(picture)
            try:
                raise FAULTS.pop(0)
            except Exception as error:
                fault = error  # in a circle with this frame, as in an engine that tries again
                raise
        if settings.get("takes") == 3:
            threading.Thread(target=time.sleep, args=(600,)).start()
            raise MemoryError
        for take in super().render(clip, source, path, settings, *rest):
            take.report["held"] = len(HELD)
            yield take


ProjectionEngine = Failing
"""
SOON = """

STOP_SECONDS = 1.0
"""


@pytest.fixture
def client(server, tmp_path):
    server.stop()
    code = copy_code(tmp_path / "code")
    with (code / "inference_server/engines/projection/engine.py").open("a") as engine:
        engine.write(FAILING)
    with (code / "inference_server/front/jobs/lane.py").open("a") as lane:
        lane.write(SOON)
    with Client(server.start(code=code).address, patience=30) as made:
        yield made


@pytest.fixture
def shoot(client, short_clip, tmp_path):
    """Sends a job for so many takes; how it ended."""

    def run(takes):
        asked = request(SHORT, settings={"takes": takes}, name="harbour")
        return client.shoot(asked, [short_clip], tmp_path / "take.mp4").wait(WAIT)

    return run


def test_a_job_that_fails_says_why_and_leaves_its_memory_to_the_next(server, shoot):
    worker = server.worker()
    errors = [shoot(2).error for _ in range(2)]
    assert [error.code for error in errors] == ["engine_fault", "memory_short"]
    assert "harbour" in errors[0].sentence and errors[1].sentence == "Too large."
    state = shoot(1)
    assert state.stage == "finished" and state.result["takes"][0]["report"]["held"] == 0
    assert server.worker() == worker
    error = shoot(2).error
    assert error.code == "out_of_memory" and "harbour" in error.sentence
    assert shoot(1).stage == "finished"
    assert server.worker() != worker, "memory that ran out leaves nothing to rely on"


def test_a_worker_whose_memory_ran_out_is_ended_where_it_does_not_end(server, shoot):
    worker = server.worker()
    assert shoot(3).error.code == "out_of_memory"
    assert shoot(1).stage == "finished"
    assert not worker.is_running()
