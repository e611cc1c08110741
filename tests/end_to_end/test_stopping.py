"""Called off, left or broken off at every stage: nothing stays behind, and others go on."""

from __future__ import annotations

import importlib
import shutil
import threading
import time
from types import SimpleNamespace

import pytest

from tests.blender_fixtures import CLIPS, strips_of


@pytest.fixture
def flipped(lay, clip):
    """A strip whose plate must be rendered."""
    strip = lay(clip)
    strip.use_flip_x = True
    return strip


@pytest.fixture
def heavy_scene(bpy, addon, monkeypatch):
    """A scene that takes its time for each frame, so that its camera is read in many slices."""

    def dawdle(*_):
        time.sleep(0.01)

    monkeypatch.setattr(addon.jobs.reshoot, "SLICE_SECONDS", 0.0)
    bpy.app.handlers.frame_change_post.append(dawdle)
    yield
    if dawdle in bpy.app.handlers.frame_change_post:
        bpy.app.handlers.frame_change_post.remove(dawdle)


@pytest.fixture
def city(lay, sequence):
    """A strip that keeps the worker busy for seconds."""
    sequence.render.resolution_x, sequence.render.resolution_y = 720, 405
    sequence.render.fps = 25
    return lay(CLIPS / "cityCC0.mpg", "city", frames=100)


@pytest.fixture
def assert_untouched(sequence):
    """The sequencer as it was, and no file beside the .blend."""

    def run(strip, folder):
        assert [s.name for s in strips_of(sequence)] == [strip.name]
        assert not strip.mute
        assert not folder.exists() or not list(folder.iterdir())

    return run


def cancel_at(bpy, addon, job, drive, stage):
    drive(job, until=lambda: job.stand.stage == stage)
    assert job.stand.stage == stage, str(job.error)
    bpy.ops.recam.cancel(job=job.id)
    drive(job)
    assert job.stand.stage == "cancelled" and job.error is None and not job.running


def test_cancelled_before_the_first_look_at_the_camera(
    bpy, addon, clip, camera, lay, saved, reshoot, drive, assert_untouched
):
    strip = lay(clip)
    cancel_at(bpy, addon, reshoot(), drive, "camera")
    assert_untouched(strip, saved)


def test_cancelled_while_the_camera_is_read(
    bpy, addon, clip, camera, lay, saved, reshoot, drive, assert_untouched, heavy_scene
):
    strip, job = lay(clip), reshoot()
    drive(job, until=lambda: (job.stand.share or 0) > 0)
    cancel_at(bpy, addon, job, drive, "camera")
    assert_untouched(strip, saved)


def test_the_camera_is_read_once_blender_no_longer_renders(
    addon, clip, camera, lay, saved, reshoot, take_of, sequence, monkeypatch
):
    """A scene that came and went beside a render would bring Blender down."""
    lay(clip)
    job = reshoot()
    with monkeypatch.context() as render:
        render.setattr(addon.jobs.reshoot, "rendering", lambda: True)
        assert all(job.tick() > 0 and job.stand.share == 0 for _ in range(3))
    take_of(job, sequence)


def test_a_take_is_laid_once_blender_no_longer_renders(
    addon, clip, camera, lay, saved, reshoot, drive, take_of, sequence, monkeypatch
):
    lay(clip)
    job, looked = reshoot(), []
    with monkeypatch.context() as render:
        render.setattr(addon.jobs.placing, "rendering", lambda: looked.append(1) or True)
        drive(job, until=lambda: len(looked) > 2)
        assert [s.name for s in strips_of(sequence)] == ["shot"] and job.running
    assert take_of(job, sequence).name == "shot take 1"


@pytest.mark.parametrize(
    ("operator", "waits"), [("TRANSFORM_OT_seq_slide", True), ("RECAM_OT_reshoot", False)]
)
def test_a_take_is_laid_once_nothing_is_dragged_in_a_window(
    bpy, addon, monkeypatch, operator, waits
):
    """An add-on's own modal operator, that may never end, holds nothing up."""
    window = SimpleNamespace(modal_operators=[SimpleNamespace(bl_idname=operator)])
    manager = SimpleNamespace(windows=[window])
    blender = SimpleNamespace(
        types=bpy.types, app=bpy.app, context=SimpleNamespace(window_manager=manager)
    )
    assert list(addon.jobs.placing.wait()) == []
    monkeypatch.setattr(addon.jobs.placing, "bpy", blender)
    assert (next(addon.jobs.placing.wait(), None) is not None) == waits


def test_cancelled_while_the_plate_is_rendered(
    bpy, addon, flipped, camera, saved, reshoot, drive, assert_untouched
):
    job = reshoot()
    drive(job, until=lambda: job.stand.stage == "plate" and job.stand.share > 0)
    cancel_at(bpy, addon, job, drive, "plate")
    assert_untouched(flipped, saved)


def test_cancelled_while_the_clip_is_sent(
    bpy, addon, city, camera, saved, reshoot, at, slow_wire, drive, assert_untouched
):
    at(slow_wire)
    cancel_at(bpy, addon, reshoot(), drive, "uploading")
    assert_untouched(city, saved)


def test_cancelled_while_the_take_is_fetched(
    bpy, addon, flipped, camera, saved, reshoot, at, slow_wire, drive, assert_untouched
):
    at(slow_wire)
    cancel_at(bpy, addon, reshoot(), drive, "downloading")
    assert_untouched(flipped, saved)


def test_cancelled_in_the_queue_and_while_rendering_leaving_the_others_alone(
    bpy, addon, sequence, city, camera, clip, saved, reshoot, drive, lay
):
    first = reshoot()
    drive(first, until=lambda: first.stand.stage == "rendering" and first.stand.share)
    second = reshoot()
    sequence.sequence_editor.active_strip = city
    third = reshoot()
    cancel_at(bpy, addon, second, drive, "queued")
    cancel_at(bpy, addon, first, drive, "rendering")
    drive(third)
    assert third.error is None and third.take == "city take 1"
    assert [s.name for s in strips_of(sequence)] == ["city", "city take 1"]
    assert [file.name for file in saved.glob("*.mp4")] == ["city_take_001.mp4"]


def test_a_strip_deleted_meanwhile_leaves_its_take_in_the_folder(
    sequence, clip, camera, lay, saved, reshoot, drive
):
    strip, job = lay(clip), reshoot()
    drive(job, until=lambda: job.stand.stage not in ("camera", "plate", "connecting"))
    strips_of(sequence).remove(strip)
    drive(job)
    assert job.stand.stage == "failed" and job.error.code == "strip_gone"
    file = saved / "shot_take_001.mp4"
    assert file.is_file() and str(file) in job.error.hint
    assert len(strips_of(sequence)) == 0


def test_a_strip_renamed_and_relinked_meanwhile_gets_its_take_where_its_clip_lies_twice(
    sequence, clip, camera, lay, saved, reshoot, take_of, drive, tmp_path
):
    strip = lay(clip)
    strips_of(sequence).new_movie("other", str(clip), 5, 11)
    sequence.sequence_editor.active_strip = strip
    job = reshoot()
    drive(job, until=lambda: job.stand.stage not in ("camera", "plate", "connecting"))
    strip.name = "renamed"
    strips_of(sequence).new_movie("shot", str(clip), 7, 11)  # has its name now
    strip.filepath = str(shutil.copy(clip, tmp_path / "relinked.mp4"))
    take = take_of(job, sequence)
    assert take.name == "renamed take 1" and strip.mute
    assert take["recam_of"] == strip["recam_strip"]


@pytest.mark.parametrize("stage", ["camera", "plate"])
def test_a_strip_deleted_while_it_is_read_is_said(
    sequence, flipped, camera, saved, reshoot, drive, heavy_scene, stage
):
    job = reshoot()
    drive(job, until=lambda: job.stand.stage == stage and job.stand.share > 0)
    strips_of(sequence).remove(flipped)
    drive(job)
    assert job.error.code == "strip_gone" and "“shot”" in job.error.sentence


def test_a_strip_trimmed_while_the_camera_is_read_is_said(
    flipped, camera, saved, reshoot, drive, assert_untouched, heavy_scene
):
    job = reshoot()
    drive(job, until=lambda: (job.stand.share or 0) > 0)
    flipped.frame_final_end -= 3
    drive(job)
    assert job.error.code == "strip_changed"
    assert_untouched(flipped, saved)


def test_an_undo_in_between_does_no_harm(bpy, clip, camera, lay, saved, reshoot, drive):
    lay(clip)
    bpy.ops.ed.undo_push(message="laid")
    bpy.data.objects["Camera"].location.x = 5
    bpy.ops.ed.undo_push(message="moved")
    job = reshoot()
    bpy.ops.ed.undo()  # every object of Blender is another one now
    drive(job)
    assert job.error is None, str(job.error)
    strips = strips_of(bpy.context.scene)
    assert [s.name for s in strips] == ["shot", "shot take 1"]


@pytest.mark.parametrize("stage", ["plate", "rendering"])
def test_another_file_opened_meanwhile_lets_go_of_the_job(
    bpy, addon, city, camera, saved, reshoot, drive, stage, tmp_path
):
    city.use_flip_y = stage == "plate"
    job = reshoot()
    drive(job, until=lambda: job.stand.stage == stage)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not job.running and job.tick() is None
    told = addon.jobs.running.jobs
    assert len(told) == (stage == "plate")  # of the other the server knows
    assert all(job.remarks[0].startswith("“city” of shot.blend had not") for job in told)
    assert not any(job.running for job in told)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not addon.jobs.running.jobs and "recam-client" not in thread_names()
    assert not list((tmp_path / "temporary").glob("recam-*"))
    assert not saved.exists() or not list(saved.iterdir())


@pytest.mark.parametrize("stage", ["plate", "rendering"])
def test_disabling_the_add_on_meanwhile_leaves_nothing_and_enabling_works_again(
    bpy, addon, package, city, camera, saved, reshoot, drive, stage, tmp_path
):
    city.use_flip_y = stage == "plate"
    listening = len(handlers(bpy, package))
    job = reshoot()
    drive(job, until=lambda: job.stand.stage == stage)
    bpy.ops.preferences.addon_disable(module=package)
    try:
        assert not job.running and job.tick() is None
        assert "recam-client" not in thread_names()
        assert not [n for n in dir(bpy.types) if n.startswith("RECAM_")]
        assert not hasattr(bpy.types.Scene, "recam") and not hasattr(bpy.context.scene, "recam")
        assert not handlers(bpy, package)
        assert not list((tmp_path / "temporary").glob("recam-*"))
    finally:
        bpy.ops.preferences.addon_enable(module=package)
    assert len(handlers(bpy, package)) == listening
    if stage == "plate":  # of which the server knows nothing
        assert not running(package).jobs
        city.use_flip_y = False
        city.frame_final_duration = 5
        bpy.ops.recam.reshoot()
    else:
        importlib.import_module(f"{package}.jobs.files").HANDLERS["load_post"]()  # as a timer does
    [again] = running(package).jobs
    drive(again)
    assert again.take == "city take 1", str(again.error)
    running(package).abandon_all()


def test_a_fault_of_the_add_on_is_said_and_leaves_nothing(
    addon, flipped, camera, saved, reshoot, drive, monkeypatch, assert_untouched, capsys
):
    monkeypatch.setattr(addon.jobs.reshoot, "picture_part", lambda *_: "no rectangle")
    job = drive(reshoot())
    assert job.error.code == "addon_fault" and "AttributeError" in job.error.sentence
    assert "Traceback" in capsys.readouterr().err
    assert_untouched(flipped, saved)


def thread_names():
    return [thread.name for thread in threading.enumerate()]


def handlers(bpy, package):
    lists = (getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers))
    found = [h for each in lists if isinstance(each, list) for h in each]
    return [h for h in found if getattr(h, "__module__", "").startswith(package)]


def running(package):
    return importlib.import_module(f"{package}.jobs.running")
