"""The worker of a front that was killed ends, whatever it does, and is in nobody's way."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from servers import ROOT, until
from slow_engine import copy_code
from takes import SHORT, request

from shared.client.client import Client

WAIT = 60.0

# Once, in a library that never gives Python back.
STUCK = """

import re
from pathlib import Path


class Stuck(ProjectionEngine):
    def render(self, clip, source, path, settings, on_progress, should_stop):
        if not (before := Path(__file__).with_name("before")).exists():
            before.touch()
            on_progress(0, 0, "stuck")
            re.match("(a+)+$", 64 * "a" + "b")
        yield from super().render(clip, source, path, settings, on_progress, should_stop)


ProjectionEngine = Stuck
"""
LISTENING = """
import time
from inference_server.worker.pipes import Pipes

Pipes().say("ready")
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends such a process by itself")
def test_a_worker_that_is_stuck_goes_with_its_front(server, short_clip, tmp_path):
    server.stop()
    code = copy_code(tmp_path / "code")
    with (code / "inference_server/engines/projection/engine.py").open("a") as engine:
        engine.write(STUCK)
    with Client(server.start(code=code).address, patience=30) as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
        until(lambda: job.state.doing == "stuck")
        worker = server.worker()
        server.kill()
        server.start(code=code)
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
        assert job.wait(WAIT).stage == "finished"
    until(lambda: not [*server.state.glob("work/*")])


def test_a_worker_that_hears_of_its_pipes_end_does_not_wait_for_what_it_does():
    worker = subprocess.Popen(
        [sys.executable, "-c", LISTENING],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert b"ready" in worker.stdout.readline()
    worker.stdin.close()
    assert worker.wait(WAIT) == 1
    worker.stdout.close()


def test_what_an_ended_attempt_left_is_removed_after_the_next_one(server, short_clip, tmp_path):
    left = server.state / "work" / "of an orphan"
    left.mkdir(parents=True)
    (left / "take.mp4").touch()
    with Client(server.address, patience=30) as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
        assert job.wait(WAIT).stage == "finished"
    until(lambda: not left.exists())
