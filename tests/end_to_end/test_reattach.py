"""Jobs outlive the file that is open: each file gets its own again, wherever it went."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.blender_fixtures import strips_of
from tests.end_to_end.reopening import close, lay_again, names, records

FRAMES = 24


@pytest.fixture(autouse=True)
def asked(at, reshoot, slow_house):
    """The server that Blender knows, unless the test says otherwise."""
    at(slow_house.address)


@pytest.mark.parametrize("stage", ["rendering", "finished there"])
def test_a_file_that_is_opened_again_gets_its_take(
    bpy, addon, blend, saved, under_way, opened, drive, stage
):
    job = under_way("rendering")
    if stage != "rendering":
        assert job._remote.wait(60).stage == "finished"
    close(bpy)
    assert not addon.jobs.running.jobs and not job.running
    [again] = opened(blend)
    assert again.id == job.id
    drive(again)
    assert again.take == "city take 1", str(again.error)
    take = strips_of(bpy.context.scene)["city take 1"]
    assert (take.channel, take.frame_final_start, take.frame_final_duration) == (3, 11, FRAMES)
    record = json.loads(take["recam"])
    assert record["job"] == job.id and record["engine"] == "projection"
    assert [file.name for file in saved.glob("*.mp4")] == ["city_take_001.mp4"]
    bpy.ops.wm.save_mainfile()
    assert not records(addon)
    close(bpy)
    assert not opened(blend)


def test_a_take_that_no_file_was_saved_with_is_laid_again(
    bpy, addon, blend, saved, under_way, opened, drive
):
    """Blender crashed after the night's last take. Nothing is fetched or made a second time."""
    job = drive(under_way())
    close(bpy)
    [again] = opened(blend)
    drive(again)
    assert again.id == job.id and names(bpy) == ["city", "city take 1"], str(again.error)
    assert [file.name for file in saved.glob("*.mp4")] == ["city_take_001.mp4"]
    bpy.ops.wm.save_as_mainfile(filepath=str(blend.with_name("copy.blend")), copy=True)
    assert records(addon)
    [file] = records(addon)
    kept = file.read_text()
    bpy.ops.wm.save_mainfile()
    assert not records(addon)
    file.write_text(kept)  # as if Blender had ended before it was removed
    assert not opened(blend) and not records(addon)


def test_nor_is_a_take_lost_whose_line_was_dismissed(bpy, addon, blend, under_way, opened, drive):
    job = drive(under_way())
    bpy.ops.recam.dismiss(job=job.id)
    assert not addon.jobs.running.jobs
    [again] = opened(blend)
    drive(again)
    bpy.ops.recam.dismiss(job=again.id)
    assert names(bpy) == ["city", "city take 1"] and records(addon)
    bpy.ops.wm.save_mainfile()
    assert not records(addon) and not opened(blend)


def test_a_moved_strip_is_met_where_it_lies_now(bpy, blend, under_way, opened, drive):
    under_way()
    strip = strips_of(bpy.context.scene)["city"]
    strip.name, strip.channel = "street", 5
    strip.frame_start += 7
    bpy.ops.wm.save_mainfile()
    close(bpy)
    [again] = opened(blend)
    drive(again)
    assert names(bpy) == ["street", "street take 1"], str(again.error)
    take = strips_of(bpy.context.scene)["street take 1"]
    assert (take.channel, take.frame_final_start) == (6, 18)


def test_another_file_does_not_get_it(bpy, addon, blend, under_way, opened, tmp_path):
    under_way()
    other = tmp_path / "other.blend"
    close(bpy)
    bpy.ops.wm.save_as_mainfile(filepath=str(other))
    assert not addon.jobs.running.jobs
    assert not opened(other) and len(opened(blend)) == 1


def test_saved_under_another_name_the_job_goes_along(
    bpy, addon, blend, saved, under_way, opened, drive, tmp_path
):
    job = under_way()
    elsewhere = tmp_path / "elsewhere" / "cut.blend"
    elsewhere.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(elsewhere))
    assert job.running and not opened(blend)
    [again] = opened(elsewhere)
    drive(again)
    assert again.take == "city take 1", str(again.error)
    take = elsewhere.parent / "recam_takes" / "city_take_001.mp4"
    assert take.is_file() and not list(saved.iterdir())
    elsewhere.rename(elsewhere.with_name("moved.blend"))
    assert not opened(blend)


def test_saved_elsewhere_while_it_renders_the_take_lies_there(
    bpy, blend, saved, under_way, drive, tmp_path
):
    job = under_way()
    (tmp_path / "elsewhere").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "elsewhere" / "cut.blend"))
    drive(job)
    assert job.take == "city take 1", str(job.error)
    assert (tmp_path / "elsewhere/recam_takes/city_take_001.mp4").is_file()
    assert not list(saved.iterdir())


def test_a_take_that_cannot_be_moved_there_is_kept_where_it_was_fetched_to(
    bpy, blend, saved, under_way, drive, tmp_path
):
    job = under_way()
    folder = tmp_path / "elsewhere" / "recam_takes"
    (folder / f".{job.id}.mp4" / f".{job.id}.mp4").mkdir(parents=True)  # in its way
    bpy.ops.wm.save_as_mainfile(filepath=str(folder.parent / "cut.blend"))
    drive(job)
    assert job.take == "city take 1", str(job.error)
    assert [file.name for file in saved.glob("*.mp4")] == ["city_take_001.mp4"]
    assert str(saved) in job.remarks[0] and "Gather Takes" in job.remarks[0]


def test_of_a_copy_and_its_original_the_open_one_keeps_the_job(
    bpy, blend, under_way, opened, tmp_path
):
    under_way()
    copy = tmp_path / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    bpy.ops.wm.save_mainfile()
    assert not opened(copy) and len(opened(blend)) == 1
    close(bpy)
    moved = blend.rename(blend.with_name("moved.blend"))
    assert not opened(copy) and len(opened(moved)) == 1


def test_of_a_file_that_another_was_saved_over_the_jobs_are_offered(
    bpy, addon, clip, blend, under_way, opened, drive
):
    under_way()
    bpy.ops.wm.save_mainfile()
    close(bpy)
    lay_again(bpy, addon, clip)
    bpy.ops.recam.reshoot()
    bpy.ops.recam.cancel_all()
    [other] = addon.jobs.running.jobs
    addon.jobs.belonging.file_id()  # as one that has takes of its own
    drive(other)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    assert not opened(blend)
    assert bpy.ops.recam.fetch_lost() == {"FINISHED"}
    [again] = addon.jobs.running.jobs
    assert drive(again).take == "city take 1", str(again.error)


def test_a_file_that_cannot_be_opened_leaves_the_jobs_where_they_are(
    bpy, addon, blend, under_way, drive, tmp_path
):
    job = under_way()
    broken = tmp_path / "broken.blend"
    broken.write_bytes(b"no blend")
    with pytest.raises(RuntimeError):
        bpy.ops.wm.open_mainfile(filepath=str(broken))
    [again] = addon.jobs.running.jobs
    assert again.id == job.id
    assert drive(again).take == "city take 1", str(again.error)


@pytest.mark.parametrize("undone", [False, True])
def test_a_file_renamed_meanwhile_is_known_by_its_id(
    bpy, addon, blend, under_way, opened, drive, undone
):
    if undone:
        bpy.ops.ed.undo_push(message="laid")
        bpy.context.scene.camera.location.x = 1
        bpy.ops.ed.undo_push(message="moved")
    under_way()
    if undone:
        bpy.ops.ed.undo()  # takes the ids with it
        assert addon.jobs.belonging.FILE_ID not in bpy.context.scene
    bpy.ops.wm.save_mainfile()
    close(bpy)
    moved = blend.rename(blend.with_name("version 2.blend"))
    [again] = opened(moved)
    drive(again)
    assert again.take == "city take 1", str(again.error)
    bpy.ops.wm.save_mainfile()
    assert not records(addon)


def test_a_project_that_was_moved_with_its_clips_gets_its_take(
    bpy, city, blend, clip, under_way, opened, drive, tmp_path
):
    shutil.copy(clip, blend.with_name("city.mp4"))
    city.filepath = "//city.mp4"
    under_way()
    bpy.ops.wm.save_mainfile()
    close(bpy)
    moved = blend.parent.rename(tmp_path / "archive")
    [again] = opened(moved / "shot.blend")
    drive(again)
    assert again.take == "city take 1", str(again.error)
    assert (moved / "recam_takes" / "city_take_001.mp4").is_file()


def test_a_job_of_a_file_that_was_not_saved_since_is_taken_up_too(
    bpy, blend, under_way, opened, drive
):
    """The strip in the file has no id then."""
    under_way()
    close(bpy)
    [again] = opened(blend)
    drive(again)
    assert again.take == "city take 1", str(again.error)
