"""Time and memory of a job, told in the panel before it starts."""

from __future__ import annotations

import time

import pytest

PATIENCE = 60.0


@pytest.fixture
def shown(addon, at, house, sequence, camera):
    """Draws the panel for a strip and lets the time pass; the estimate."""
    at(house.address)
    estimate = addon.jobs.estimate.Estimate()

    def run(strip, until):
        end = time.monotonic() + PATIENCE
        while not until(estimate):
            assert time.monotonic() < end
            estimate.show(strip, sequence)
            assert estimate.tick() is not None
            time.sleep(0.02)
        return estimate

    return run


def test_what_a_projection_takes_is_said_once_one_was_made(
    addon, sequence, clip, lay, shown, saved, drive, bpy
):
    strip = lay(clip)
    sequence.recam.engine = "projection"
    told = shown(strip, lambda e: e.sentences)
    assert told.error is None and told.sentences[0].endswith(".")
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    assert drive(job).take, str(job.error)
    told = shown(strip, lambda e: e.sentences and e.sentences[0].startswith("About "))
    assert "second" in told.sentences[0]


def test_what_the_engine_would_refuse_is_said_before_and_asked_anew_when_that_changes(
    sequence, clip, lay, shown
):
    strip = lay(clip)
    sequence.recam.engine = "recammaster"  # for which that server has no weights
    assert shown(strip, lambda e: e.error).error.code == "engine_unavailable"
    sequence.recam.engine = "projection"
    assert shown(strip, lambda e: e.sentences).error is None


def test_it_is_asked_once_however_often_it_is_drawn(addon, sequence, clip, lay, shown, monkeypatch):
    strip, asked = lay(clip), []
    original = addon.shared.client.client.Client.estimate
    monkeypatch.setattr(
        addon.shared.client.client.Client,
        "estimate",
        lambda *arguments, **more: asked.append(arguments) or original(*arguments, **more),
    )
    told = shown(strip, lambda e: e.sentences)
    for _ in range(10):
        told.show(strip, sequence)
        told.tick()
    assert len(asked) == 1 and asked[0][1:4] == (160, 96, 24)
    strip.frame_final_duration = 12
    shown(strip, lambda e: len(asked) == 2)
    assert asked[1][3] == 12


def test_of_the_same_take_what_was_said_stays_until_it_is_known_better(
    sequence, clip, camera, lay, shown, reshoot, drive
):
    """Else the panels below would jump under the mouse."""
    strip = lay(clip)
    told = shown(strip, lambda e: e.sentences)
    job = reshoot()
    told.show(strip, sequence)
    told.tick()
    assert told.sentences
    sequence.recam.engine = "recammaster"
    told.show(strip, sequence)
    told.tick()
    assert not told.sentences
    drive(job)


def test_nobody_looks_and_nothing_is_asked(addon, sequence, clip, lay, shown, monkeypatch):
    told = shown(lay(clip), lambda e: e.sentences)
    monkeypatch.setattr(addon.jobs.estimate, "FORGOTTEN_SECONDS", 0.0)
    assert told.tick() is None and not told.sentences
