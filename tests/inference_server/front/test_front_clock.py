"""A clock that is set back or forward by days while jobs wait and are at work: nothing is lost."""

from __future__ import annotations

import pytest
from held_engine import HeldCode
from servers import until
from takes import SHORT, request

from shared.client.client import Client

WAIT = 60.0
DAY = 86400

# Python loads it first thing: the time of every process of the server is what a file says.
CLOCK = """
import time
from pathlib import Path

_real, _shift = time.time, Path(__file__).with_name("shift")
time.time = lambda: _real() + float(_shift.read_text() or 0)
"""


@pytest.mark.parametrize("shift", [-DAY, 3 * DAY])
def test_nothing_is_lost_and_no_time_is_negative(server, short_clip, tmp_path, monkeypatch, shift):
    server.stop()
    code, clock = HeldCode(tmp_path / "code"), tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(CLOCK)
    (clock / "shift").write_text("0")
    monkeypatch.setenv("PYTHONPATH", str(clock))
    with Client(server.start(code=code.folder).address, patience=30) as client:

        def shoot(name, **settings):
            asked = request(SHORT, engine="projection", settings=settings)
            return client.shoot(asked, [short_clip], tmp_path / name)

        jobs = [shoot("a.mp4", prompt="hold")]
        until(lambda: jobs[0].state.doing == "holding")
        jobs.append(shoot("b.mp4"))
        until(lambda: jobs[1].state.ahead == 1)
        draft = clock / "new"
        draft.write_text(str(shift))
        draft.replace(clock / "shift")
        jobs.append(shoot("c.mp4"))
        until(lambda: jobs[2].state.ahead == 2)
        seconds = client.ask("server.status", {}).result(WAIT)["seconds"]
        assert 0 < seconds < DAY / 2, "it tells how long it has been up"
        server.kill()
        server.start(code=code.folder)
        code.let_go()
        assert [job.wait(WAIT).stage for job in jobs] == ["finished"] * 3
        told = client.jobs()
    assert [job["job"] for job in reversed(told)] == [job.id for job in jobs]
    assert abs(told[0]["accepted"] - told[-1]["accepted"] - shift) < DAY / 2, "it was set"
    assert all(job["ended"] >= job["accepted"] for job in told)
    assert all(job["result"]["seconds"] >= 0 for job in told)
    assert "Traceback" not in server.log.read_text()
