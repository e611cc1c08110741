"""How far a job is: the pace is that of what is done now."""

from __future__ import annotations

import pytest

from inference_server.front.jobs import progress
from inference_server.front.jobs.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_the_steps(clock):
    done = Progress(_began=0.0)
    assert done.seconds_left is None
    clock[0] = 10.0
    done.step(5, 20, "")
    assert done.seconds_left == 30.0


def test_loading_does_not_count_for_the_steps_that_follow(clock):
    done = Progress()
    clock[0] = 60.0
    done.step(0, 0, "loading the weights")
    assert done.seconds_left is None
    clock[0] = 100.0
    done.step(0, 50, "denoising")
    assert done.seconds_left is None
    clock[0] = 104.0
    done.step(2, 50, "denoising")
    assert done.seconds_left == 96.0


def test_a_remark_is_kept_once():
    done = Progress()
    done.step(0, 9, "denoising", ["It is dark.", "It is slow."])
    done.step(1, 9, "denoising")
    done.step(2, 9, "denoising", ["It is slow.", "It is late."])
    assert done.remarks == ["It is dark.", "It is slow.", "It is late."]


def test_steps_that_were_done_before_do_not_make_it_look_faster(clock):
    done = Progress()
    done.step(50, 100, "denoising")
    clock[0] = 20.0
    done.step(60, 100, "denoising")
    assert done.seconds_left == 80.0
