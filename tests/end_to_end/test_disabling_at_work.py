"""The add-on is disabled while a re-shoot runs: it is let go, and taken up again."""

from __future__ import annotations

import threading

from tests.blender_fixtures import CLIPS, strips_of


def test_a_job_is_let_go_and_taken_up_again(
    bpy, addon, package, sequence, camera, saved, lay, reshoot, drive
):
    sequence.render.resolution_x, sequence.render.resolution_y = 720, 405
    sequence.render.fps = 25
    lay(CLIPS / "cityCC0.mpg", "city", frames=60)
    job = reshoot()
    bpy.ops.wm.save_mainfile()
    drive(job, until=lambda: job.stand.stage == "rendering")
    bpy.ops.preferences.addon_disable(module=package)
    try:
        assert not job.running and not addon.jobs.running.jobs
        assert not [each for each in threading.enumerate() if each.name.startswith("recam")]
        assert not list(saved.glob("*"))
    finally:
        bpy.ops.preferences.addon_enable(module=package)
    addon.jobs.files._after_load()  # in a window a timer does, once the file can be looked at
    [again] = addon.jobs.running.jobs
    assert again.id == job.id
    drive(again)
    assert again.take == "city take 1", str(again.error)
    assert strips_of(sequence)["city take 1"].frame_final_duration == 60
