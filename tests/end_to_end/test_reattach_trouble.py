"""Jobs taken up again where something is gone: Blender, strip, plate, file, or a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blender_fixtures import CLIPS, strips_of
from tests.end_to_end.reopening import close, lay_again, names, records


@pytest.fixture(autouse=True)
def asked(at, reshoot, slow_house):
    """The server that Blender knows, unless the test says otherwise."""
    at(slow_house.address)


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


def test_a_folder_for_takes_that_is_gone_lets_another_file_come(bpy, addon, saved, under_way):
    under_way()
    saved.rmdir()
    saved.write_text("in the way")
    close(bpy)
    assert not addon.jobs.running.jobs


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


def test_a_take_that_cannot_get_its_name_is_said_and_fetched_again(
    bpy, addon, blend, saved, under_way, opened, drive, monkeypatch
):
    """The folder for takes vanishes, or its disk is full, once the take was fetched."""
    job = under_way()
    placing, named = addon.jobs.placing, addon.jobs.placing.named

    def broken(*arguments):
        for file in saved.iterdir():
            file.unlink()
        saved.rmdir()
        return named(*arguments)

    with monkeypatch.context() as disk:
        disk.setattr(placing, "named", broken)
        drive(job)
    assert job.error.code == "take_unnamed" and str(saved) in job.error.sentence
    assert names(bpy) == ["city"] and not saved.exists()
    bpy.ops.wm.save_mainfile()
    [again] = opened(blend)
    drive(again)
    assert again.id == job.id and again.take == "city take 1", str(again.error)
    assert [file.name for file in saved.glob("*.mp4")] == ["city_take_001.mp4"]


def test_of_several_takes_all_get_their_names_or_none(addon, monkeypatch, tmp_path):
    files = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    files[0].write_bytes(b"1")
    with pytest.raises(addon.shared.errors.RecamError, match="cannot be kept"):
        addon.jobs.placing._renamed(files, "shot")
    assert files[0].read_bytes() == b"1" and [*tmp_path.glob("*.mp4")] == files[:1]


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


def test_an_unsaved_file_keeps_its_job_when_another_cannot_be_opened(
    bpy, addon, clip, drive, tmp_path
):
    lay_again(bpy, addon, clip)
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    drive(job, until=lambda: job.stand.stage == "rendering")
    broken = tmp_path / "broken.blend"
    broken.write_bytes(b"no blend")
    with pytest.raises(RuntimeError):
        bpy.ops.wm.open_mainfile(filepath=str(broken))
    [again] = addon.jobs.running.jobs
    drive(again)
    assert again.id == job.id and again.take == "city take 1", str(again.error)
    file = Path(bpy.path.abspath(strips_of(bpy.context.scene)[again.take].filepath))
    for each in (file, file.with_suffix(".json")):
        each.unlink()


def test_an_unsaved_files_job_is_that_files_which_fetched_it(
    bpy, addon, saved, clip, lay, opened, drive
):
    """Once that is saved, also if it had no takes before."""
    bpy.ops.wm.save_mainfile()
    close(bpy)
    lay_again(bpy, addon, clip)
    bpy.ops.recam.reshoot()
    [job] = addon.jobs.running.jobs
    drive(job, until=lambda: job.stand.stage == "rendering")
    assert not opened(saved.parent / "shot.blend")
    bpy.ops.recam.fetch_lost()
    bpy.ops.wm.save_mainfile()
    assert len(opened(saved.parent / "shot.blend")) == 1
    bpy.ops.recam.cancel_all()


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
