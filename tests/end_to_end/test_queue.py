"""The queue: several jobs at once, what they show, calling them off, trying again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_fixtures import strips_of
from tests.slow_engine import copy_code


@pytest.fixture
def slow_server(own_server, at, reshoot, tmp_path):
    """Takes its time for each job, one after the other."""
    own_server.stop()
    own_server.start(code=copy_code(tmp_path / "code"))
    at(own_server.address)
    return own_server


@pytest.fixture
def press(bpy, addon, lay, clip, camera, saved, slow_server):
    """Lays the clip and re-shoots it so many times at once; the jobs."""
    strip = lay(clip)

    def run(count):
        for _ in range(count):
            strip.id_data.sequence_editor.active_strip = strip
            assert bpy.ops.recam.reshoot() == {"FINISHED"}
        return addon.jobs.running.jobs[-count:]

    return run


def together(jobs, seen=lambda: None):
    """Ticks them in turn to their ends, as timers do."""
    while any(job.running for job in jobs):
        for job in jobs:
            job.tick()
        seen()


def test_each_tells_how_many_wait_before_it(bpy, addon, press, drive, sequence):
    sequence.recam.takes = 16  # which keep the server busy
    [first] = press(1)
    drive(first, until=lambda: first.stand.stage == "rendering")
    sequence.recam.takes = 1
    second, third = press(2)
    drive(second, until=lambda: second.stand.stage == "queued")
    drive(third, until=lambda: third.stand.stage == "queued")
    line_of = addon.ui.stand_line.line_of
    assert line_of(second.stand) == "Waiting for 1 other job"
    assert line_of(third.stand) == "Waiting for 2 other jobs"
    bpy.ops.recam.cancel(job=first.id)
    together([first, second, third])
    assert {second.take, third.take} == {"shot take 1", "shot take 2"} and not first.take


def test_a_small_picture_shows_what_is_rendered(bpy, addon, press, sequence):
    """The clip is redder on the left than on the right."""
    sequence.recam.takes = 4  # enough time for one
    [job], icons = press(1), []

    def look():
        if preview := addon.jobs.pictures.preview(job.id):
            width, height = preview.image_size
            pixels = np.empty(4 * width * height, np.float32)
            preview.image_pixels_float.foreach_get(pixels)
            icons.append(pixels.reshape(height, width, 4)[::-1])

    together([job], look)
    assert job.take, str(job.error)
    last = icons[-1]
    height, width = last.shape[:2]
    assert abs(width / height - 160 / 96) < 0.1 and max(width, height) <= 160
    assert (last[..., 3] == 1).all()
    left, right = last[: height // 4, : width // 4], last[: height // 4, -width // 4 :]
    assert left[..., 0].mean() > right[..., 0].mean() + 0.1
    bpy.ops.recam.dismiss(job=job.id)
    assert addon.jobs.pictures.preview(job.id) is None


def test_all_are_called_off_at_once(bpy, addon, press, drive, sequence, saved):
    jobs = press(3)
    drive(jobs[0], until=lambda: jobs[0].stand.stage == "rendering")
    for job in jobs[1:]:
        drive(job, until=lambda job=job: job.stand.stage == "queued")
    assert bpy.ops.recam.cancel_all() == {"FINISHED"}
    together(jobs)
    assert [job.stand.stage for job in jobs] == ["cancelled"] * 3
    assert [strip.name for strip in strips_of(sequence)] == ["shot"]
    assert not list(addon.jobs.belonging.folder().iterdir()) and not list(saved.iterdir())
    assert not bpy.ops.recam.cancel_all.poll()
    assert bpy.ops.recam.dismiss_all() == {"FINISHED"} and not addon.jobs.running.jobs
    assert not bpy.ops.recam.dismiss_all.poll()


def test_what_failed_is_tried_again_as_it_was(
    bpy, addon, press, drive, sequence, slow_server, monkeypatch
):
    """With the settings of then, whatever the panel says now."""
    monkeypatch.setattr(addon.jobs.job, "CONNECT_SECONDS", 0.5)
    sequence.recam.engine, sequence.recam.seed = "auto", 7
    slow_server.stop()
    [job] = press(1)
    drive(job)
    assert job.error.code == "server_unreachable"
    sequence.recam.engine, sequence.recam.seed = "projection", 0
    sequence.sequence_editor.active_strip = None
    slow_server.start(code=slow_server.folder.parent / "code")
    assert bpy.ops.recam.retry(job=job.id) == {"FINISHED"}
    [again] = addon.jobs.running.jobs
    assert (again.asked_engine, again.asked_settings) == ("auto", {"seed": 7})
    drive(again)
    assert again.take == "shot take 1", str(again.error)


def test_what_is_called_off_while_the_server_is_away_ends_at_once(press, drive, slow_server):
    [job] = press(1)
    drive(job, until=lambda: job.stand.stage == "rendering")
    slow_server.stop()
    drive(job, until=lambda: job.stand.trouble)
    job.cancel()
    drive(job, seconds=2)
    assert job.stand.stage == "cancelled" and "may still render" in job.remarks[0]


def test_a_running_job_is_neither_dismissed_nor_tried_again(bpy, press, drive):
    [job] = press(1)
    assert bpy.ops.recam.dismiss(job=job.id) == {"CANCELLED"}
    assert bpy.ops.recam.retry(job=job.id) == {"CANCELLED"}
    assert bpy.ops.recam.cancel(job="none") == {"CANCELLED"}
    assert drive(job).take
