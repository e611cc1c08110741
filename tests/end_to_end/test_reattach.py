"""Jobs outlive the file that is open, and Blender: they are taken up again where they belong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blender_fixtures import CLIPS, strips_of
from tests.end_to_end.conftest import Server
from tests.slow_engine import copy_code

FRAMES = 24


@pytest.fixture(scope="module")
def slow_house(server_python, keys, tmp_path_factory):
    """A server that takes a moment for each job."""
    folder = tmp_path_factory.mktemp("slow")
    server = Server(server_python, folder).start(code=copy_code(folder / "code"))
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def asked(at, reshoot, slow_house):
    """The server that Blender knows, unless the test says otherwise."""
    at(slow_house.address)


@pytest.fixture
def city(lay, sequence, camera, clip):
    return lay(clip, "city")


@pytest.fixture
def blend(city, saved):
    """Path of the .blend with “city” in it."""
    return saved.parent / "shot.blend"


@pytest.fixture
def under_way(bpy, addon, blend, drive):
    """Saves the file and starts a re-shoot; returns once it is at that stage."""

    def run(stage="rendering"):
        bpy.ops.wm.save_mainfile()
        assert bpy.ops.recam.reshoot() == {"FINISHED"}
        job = addon.jobs.running.jobs[-1]
        drive(job, until=lambda: job.stand.stage == stage)
        assert job.stand.stage == stage, str(job.error)
        return job

    return run


@pytest.fixture
def opened(bpy, addon):
    """Opens a .blend; the jobs that Blender then follows."""

    def run(path):
        bpy.ops.wm.open_mainfile(filepath=str(path))
        return addon.jobs.running.jobs

    return run


def close(bpy):
    """As an artist does who goes on with another file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def names(bpy):
    return [strip.name for strip in strips_of(bpy.context.scene)]


def records(addon):
    return list(addon.jobs.belonging.folder().glob("*.json"))


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


def test_a_take_of_a_file_that_was_never_saved_is_not_offered_for_ever(
    bpy, addon, clip, opened, drive
):
    lay_again(bpy, addon, clip)
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    assert drive(job).take and records(addon)
    file = Path(bpy.path.abspath(strips_of(bpy.context.scene)[job.take].filepath))
    close(bpy)
    assert not records(addon) and file.is_file()
    for each in (file, file.with_suffix(".json")):
        each.unlink()


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


def test_a_strip_that_is_gone_leaves_its_take_in_the_folder(
    bpy, addon, blend, saved, under_way, opened, drive
):
    under_way()
    strips_of(bpy.context.scene).remove(strips_of(bpy.context.scene)["city"])
    bpy.ops.wm.save_mainfile()
    close(bpy)
    [again] = opened(blend)
    drive(again)
    assert again.error.code == "strip_gone"
    file = saved / "city_take_001.mp4"
    assert file.is_file() and str(file) in again.error.hint
    [again] = opened(blend)
    drive(again)
    assert again.error.code == "strip_gone" and str(file) in again.error.hint
    bpy.ops.recam.dismiss(job=again.id)
    assert not opened(blend) and file.is_file()


@pytest.mark.parametrize("rendered", [False, True])
def test_what_had_not_arrived_is_sent_then(
    bpy, addon, city, blend, saved, under_way, opened, drive, at, slow_wire, rendered, tmp_path
):
    """The plate that Blender rendered lies where it did."""
    city.use_flip_x = rendered
    if not rendered:
        unknown(bpy, city, tmp_path)
    at(slow_wire)
    job = under_way("uploading")
    close(bpy)
    assert len(list((tmp_path / "temporary").iterdir())) == rendered
    [again] = opened(blend)
    drive(again)
    assert again.id == job.id and again.take == "city take 1", str(again.error)


def unknown(bpy, strip, folder):
    """Let the strip show a file that no server has seen."""
    file = folder / "unknown.mp4"
    file.write_bytes(Path(bpy.path.abspath(strip.filepath)).read_bytes() + os.urandom(500_000))
    strip.filepath = str(file)


def test_a_plate_that_is_gone_before_it_arrived_is_said_and_can_be_tried_again(
    bpy, addon, city, under_way, blend, opened, drive, at, house, slow_wire, tmp_path
):
    city.use_flip_x = True
    at(slow_wire)
    under_way("uploading")
    close(bpy)
    [work] = (tmp_path / "temporary").iterdir()
    for part in work.iterdir():
        part.unlink()
    [again] = opened(blend)
    drive(again)
    assert again.error.code == "job_unsent"
    at(house.address)
    assert bpy.ops.recam.retry(job=again.id) == {"FINISHED"}
    [new] = addon.jobs.running.jobs
    assert drive(new).take == "city take 1", str(new.error)


def test_a_failure_can_be_read_until_it_is_dismissed(bpy, addon, city, blend, opened, drive):
    bpy.context.scene.recam.engine = "recammaster"  # for which that server has no weights
    bpy.ops.wm.save_mainfile()
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    drive(job)
    assert job.error and job.error.code != "addon_fault" and records(addon)
    [again] = opened(blend)
    drive(again)
    assert (again.error.code, again.error.sentence) == (job.error.code, job.error.sentence)
    bpy.ops.recam.dismiss(job=again.id)
    assert not records(addon) and not opened(blend)


def test_the_server_it_was_sent_to_is_asked_whatever_the_preferences_say(
    bpy, blend, under_way, opened, drive, at, own_server
):
    """And what runs meanwhile keeps its connection."""
    at(own_server.address)
    job = under_way()
    at("tcp://127.0.0.1:9")
    close(bpy)
    [again] = opened(blend)
    drive(again)
    assert again.id == job.id and again.take == "city take 1", str(again.error)


def test_a_blender_that_was_killed_leaves_its_job_to_the_next_and_a_living_one_keeps_it(
    bpy, addon, resources, opened, drive, tmp_path
):
    bpy.ops.wm.save_userpref()
    blend = tmp_path / "b.blend"
    script = Path(__file__).with_name("other_blender.py")
    other = subprocess.Popen(
        [sys.executable, str(script), str(CLIPS / "cityCC0.mpg"), str(blend), "100"],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(resources)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = next(line for line in other.stdout if line.startswith(("at work", "take:")))
        assert line == "at work\n"
        assert not opened(blend)
        assert len(records(addon)) == 1
    finally:
        other.kill()
        other.communicate()
    [again] = opened(blend)
    drive(again)
    assert again.take == "other take 1", str(again.error)
    assert names(bpy) == ["other", "other take 1"]


def test_a_job_of_an_unsaved_file_is_offered_and_not_mixed_in(
    bpy, addon, clip, city, blend, opened, drive
):
    bpy.ops.wm.save_mainfile()
    close(bpy)
    lay_again(bpy, addon, clip)
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    drive(job, until=lambda: job.stand.stage == "rendering")
    close(bpy)
    assert len(records(addon)) == 1
    assert not opened(blend)
    strips_of(bpy.context.scene)["city"].frame_start += 100
    assert bpy.ops.recam.fetch_lost() == {"FINISHED"}
    [again] = addon.jobs.running.jobs
    drive(again)
    assert again.id == job.id and again.take == "city take 1", str(again.error)
    assert strips_of(bpy.context.scene)["city take 1"].frame_final_start == 111
    bpy.ops.wm.save_mainfile()
    assert not records(addon) and bpy.ops.recam.fetch_lost() == {"CANCELLED"}


def test_an_unsaved_files_take_is_kept_where_no_strip_shows_its_clip(
    bpy, addon, saved, sequence, lay, clip, opened, drive
):
    lay(CLIPS / "bigbuckbunny.mp4", "bars")
    bpy.ops.wm.save_mainfile()
    close(bpy)
    lay_again(bpy, addon, clip)
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    drive(job, until=lambda: job.stand.stage == "rendering")
    assert not opened(saved.parent / "shot.blend")
    bpy.ops.recam.fetch_lost()
    [again] = addon.jobs.running.jobs
    drive(again)
    assert again.error.code == "strip_gone" and names(bpy) == ["bars"]
    assert (saved / "city_take_001.mp4").is_file()


def lay_again(bpy, addon, clip):
    """A camera and the clip in a new file that is not saved."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.fps = 160, 96, 24
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    editor = scene.sequence_editor_create()
    addon.versions.show_in_sequencer(bpy.context, scene)
    editor.active_strip = strips_of(scene).new_movie("city", str(clip), 2, 11)


def test_a_job_that_could_not_be_found_there_again_goes_on_by_itself(
    bpy, blend, under_way, at, own_server, drive
):
    """The server is killed, stays away, and comes back."""
    at(own_server.address)
    job = under_way()
    own_server.stop(signal.SIGKILL)
    drive(job, until=lambda: job.stand.trouble)
    assert own_server.address in job.stand.trouble
    own_server.start()
    drive(job)
    assert job.take == "city take 1", str(job.error)
