"""From strip to take through a real server: the button, the wire, the worker, the strip above."""

from __future__ import annotations

import json
from math import radians
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import CLIPS, strips_of
from tests.slow_engine import REMARK, copy_code


@pytest.fixture
def stage(sequence):
    """Sets the render frame, and the clip's rate."""

    def run(width, height, fps=25):
        render = sequence.render
        render.resolution_x, render.resolution_y, render.fps = width, height, fps

    return run


def test_a_strip_comes_back_as_a_take_above_it(
    bpy, sequence, clip, camera, lay, saved, reshoot, take_of
):
    strip = lay(clip)
    take = take_of(reshoot(), sequence)
    assert (take.channel, take.frame_final_start, take.frame_final_duration) == (3, 11, 24)
    assert strip.mute and not take.mute
    assert sequence.sequence_editor.active_strip == take
    assert take.filepath == "//recam_takes/shot_take_001.mp4"
    assert sorted(f.name for f in saved.iterdir()) == ["shot_take_001.json", "shot_take_001.mp4"]
    record = json.loads(take["recam"])
    assert record["engine"] == "projection" and record["subject_distance"] == 4.0
    assert len(record["job"]) == 32 and record["report"]["unseen_share"] == 0.0


def test_one_undo_step_takes_the_take_away(bpy, sequence, clip, camera, lay, reshoot, take_of):
    lay(clip)
    bpy.ops.ed.undo_push(message="the artist's last step")
    take_of(reshoot(), sequence)
    bpy.ops.ed.undo()
    strips = strips_of(bpy.context.scene)
    assert [(s.name, s.mute) for s in strips] == [("shot", False)]


def test_takes_never_overwrite_each_other(sequence, clip, camera, lay, saved, reshoot, drive):
    strip = lay(clip)
    jobs = [reshoot(), reshoot()]  # at once
    for job in jobs:
        drive(job)
    sequence.sequence_editor.active_strip = strip
    jobs.append(drive(reshoot()))
    assert [job.take for job in jobs] == [f"shot take {n}" for n in (1, 2, 3)]
    assert sorted(file.name for file in saved.glob("*.mp4")) == [
        f"shot_take_00{n}.mp4" for n in (1, 2, 3)
    ]
    channels = [strips_of(sequence)[job.take].channel for job in jobs]
    assert channels == [3, 4, 5]


def test_several_takes_come_stacked_and_the_first_is_shown(
    addon, sequence, clip, camera, lay, saved, reshoot, drive, at, own_server, pictures, tmp_path
):
    own_server.stop()
    own_server.start(code=copy_code(tmp_path / "code"))
    at(own_server.address)
    strip = lay(clip)
    sequence.recam.takes = 3
    job, seen = reshoot(), []
    drive(job, until=lambda: seen.append((job.stand.words, REMARK in job.remarks)))
    assert job.takes == [f"shot take {number}" for number in (1, 2, 3)], str(job.error)
    assert ("Loading the weights", True) in seen and job.remarks.count(REMARK) == 1
    assert job.take == "shot take 1"
    assert sorted(file.name for file in saved.glob("*.mp4")) == [
        f"shot_take_00{number}.mp4" for number in (1, 2, 3)
    ]
    takes = [strips_of(sequence)[name] for name in job.takes]
    assert [(take.channel, take.mute) for take in takes] == [(3, False), (4, True), (5, True)]
    records = [json.loads(take["recam"]) for take in takes]
    assert [record["report"]["seed"] for record in records] == [0, 1, 2]
    assert all(record["settings"] == {"takes": 3} for record in records) and strip.mute
    means = []
    for take in takes:
        for other in takes:
            other.mute = other != take
        means.append(pictures.shown(sequence, [15]).mean())
    assert np.diff(means) == pytest.approx([40 / 255, 40 / 255], abs=0.02)


def test_what_the_model_alone_can_do_is_said_and_does_not_fail_the_job(
    sequence, clip, camera, lay, saved, reshoot, take_of
):
    """And what the panel offers is what the server knows."""
    lay(clip)
    settings = sequence.recam
    settings.prompt, settings.takes, settings.seed = "Bars that count", 2, 5
    settings.quality, settings.framing = "fast", "crop"
    job = reshoot()
    take = take_of(job, sequence)
    assert json.loads(take["recam"])["settings"]["seed"] == 5
    assert any("does not know prompt, takes, seed" in remark for remark in job.remarks)


def test_an_unsaved_files_take_goes_to_the_users_own_folder(
    bpy, addon, sequence, clip, camera, lay, reshoot, take_of, resources
):
    """Not to the add-on's, which goes when it is uninstalled."""
    lay(clip)
    job = reshoot()
    take = take_of(job, sequence)
    folder = addon.takes.folder.own_folder()
    assert not folder.is_relative_to(resources / "extensions")
    assert Path(bpy.path.abspath(take.filepath)).parent == folder
    assert any("Gather Takes" in remark for remark in job.remarks)
    Path(bpy.path.abspath(take.filepath)).unlink()


@pytest.mark.parametrize(
    ("file", "size"), [("cityCC0.mpg", (720, 405)), ("bigbuckbunny.mp4", (1280, 720))]
)
def test_a_standing_camera_gives_back_what_blender_shows(
    bpy, sequence, camera, lay, stage, saved, reshoot, take_of, pictures, measure, file, size
):
    """Also in colour: neither file tells its matrix, and Blender's choice counts.

    Brightness by the pixel, colour by blocks of 4: files keep colour at half the size, and two
    programs differ in how they smooth it back.
    """
    stage(*size)
    strip = lay(CLIPS / file, frames=5)
    frames = (12, 15)
    source = np.concatenate([pictures.shown(sequence, [f]) for f in frames])
    take_of(reshoot(), sequence)
    assert strip.mute
    shown = np.concatenate([pictures.shown(sequence, [f]) for f in frames])
    luma = np.array([0.2126, 0.7152, 0.0722], np.float32)
    assert measure.psnr(shown @ luma, source @ luma) > 38
    assert measure.psnr(blocks(shown), blocks(source)) > 38
    # Blender 4.2 rounds down what it reads of files of even size, as the take is.
    near = 2 / 255 if bpy.app.version < (4, 3) else 1 / 255
    assert np.abs(shown.mean((0, 1, 2)) - source.mean((0, 1, 2))).max() < near


def blocks(frames):
    """Means over blocks of 4x4 pixels."""
    count, height, width = frames.shape[0], frames.shape[1] // 4, frames.shape[2] // 4
    whole = frames[:, : 4 * height, : 4 * width]
    return whole.reshape(count, height, 4, width, 4, 3).mean((2, 4))


def test_an_odd_sized_clip_is_covered_exactly(
    sequence, camera, lay, stage, saved, reshoot, take_of, pictures
):
    """720x405 in a larger frame: the row that makes the file even shows nowhere."""
    stage(1280, 720)
    strip = lay(CLIPS / "cityCC0.mpg", frames=2)
    source = pictures.shown(sequence, [11])[0]
    take = take_of(reshoot(), sequence)
    assert (take.elements[0].orig_width, take.elements[0].orig_height) == (720, 406)
    shown = pictures.shown(sequence, [11])[0]
    covered, covers = source.max(-1) > 0.03, shown.max(-1) > 0.03
    for axis in (0, 1):
        before, now = (np.flatnonzero(mask.any(axis)) for mask in (covered, covers))
        assert (now[0], now[-1]) == (before[0], before[-1])
    assert np.abs(shown - source).mean() < 2 / 255 and strip.mute


def test_a_vertical_clip_stays_vertical(
    sequence, camera, lay, stage, saved, reshoot, take_of, pictures, measure
):
    stage(192, 108, 24)
    lay(pictures.write("vertical", measure.numbered(6, 54, 96)), fit="FIT")
    source = pictures.shown(sequence, range(11, 17))
    take = take_of(reshoot(), sequence)
    assert (take.elements[0].orig_width, take.elements[0].orig_height) == (54, 96)
    shown = pictures.shown(sequence, range(11, 17))
    assert measure.psnr(shown, source) > 34
    assert shown[:, :, :64].max() < 0.05 and shown[:, :, 128:].max() < 0.05


def test_a_changed_strip_comes_back_as_the_artist_sees_it(
    sequence, clip, camera, lay, saved, reshoot, take_of, pictures, measure
):
    """Mirrored, cropped, scaled and off the middle: the plate is rendered."""
    strip = lay(clip)
    strip.use_flip_x = True
    strip.crop.min_x, strip.crop.max_y = 20, 8
    strip.transform.scale_x = strip.transform.scale_y = 0.75
    strip.transform.offset_x = 10
    source = pictures.shown(sequence, range(11, 35))
    stages = []
    job = reshoot()
    while job.tick() is not None:
        stages.append(job.stand.stage)
    assert "plate" in stages and job.error is None, str(job.error)
    take = strips_of(sequence)[job.take]
    assert not take.use_flip_x and strip.use_flip_x
    shown = pictures.shown(sequence, range(11, 35))
    seen = source.max((0, 3)) > 0.1
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    inner = np.s_[:, rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1]
    assert measure.psnr(shown[inner], source[inner]) > 30
    outer = shown.copy()
    outer[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 0
    assert outer.max() < 0.05


def test_a_longer_lens_is_the_middle_of_the_picture(
    sequence, camera, lay, stage, saved, reshoot, take_of, pictures, measure
):
    stage(320, 192, 24)
    y, x = np.mgrid[0:192, 0:320]
    wave = 0.5 + 0.3 * np.sin(x / 17)[..., None] * np.cos(y / 13)[..., None]
    picture = wave * (1.0, 0.8, 0.6)
    lay(pictures.write("zoom", np.repeat(picture[None].astype(np.float32), 5, axis=0)))
    for frame, lens in ((11, 50), (15, 100)):
        camera.data.lens = lens
        camera.data.keyframe_insert("lens", frame=frame)
    take_of(reshoot(), sequence)
    first, last = pictures.shown(sequence, [11])[0], pictures.shown(sequence, [15])[0]
    xs, ys = (x + 0.5 - 160) / 2 + 160, (y + 0.5 - 96) / 2 + 96
    wave = 0.5 + 0.3 * np.sin((xs - 0.5) / 17)[..., None] * np.cos((ys - 0.5) / 13)[..., None]
    inner = np.s_[8:-8, 8:-8]
    assert measure.psnr(first[inner], picture[inner]) > 38
    assert measure.psnr(last[inner], (wave * (1.0, 0.8, 0.6))[inner]) > 38


def test_the_cameras_pan_is_what_the_take_shows(
    sequence, camera, lay, stage, saved, reshoot, take_of, pictures, measure
):
    """Panned until the old middle lies a quarter of the frame to the left."""
    stage(320, 192, 24)
    y, x = np.mgrid[0:192, 0:320]
    picture = 0.5 + 0.4 * np.exp(-(((x + 0.5 - 160) / 12) ** 2 + ((y + 0.5 - 96) / 12) ** 2))
    frames = np.repeat(picture[None, ..., None], 3, axis=-1).repeat(3, axis=0)
    lay(pictures.write("spot", frames.astype(np.float32)))
    angle = np.arctan(80 / (320 * 50 / 36))
    for frame, turn in ((11, 0.0), (13, -angle)):
        camera.rotation_euler = (radians(90), 0, turn)
        camera.keyframe_insert("rotation_euler", frame=frame)
    take_of(reshoot(), sequence)
    shown = pictures.shown(sequence, [13])[0, ..., 1] - 0.5
    weight = np.where(shown > 0.15, shown, 0)
    assert abs((weight * (x + 0.5)).sum() / weight.sum() - 80) < 0.5
    assert abs((weight * (y + 0.5)).sum() / weight.sum() - 96) < 0.5


def test_a_take_with_handles_can_be_trimmed_later(
    addon, sequence, clip, camera, lay, reshoot, take_of, saved, pictures, measure
):
    strip, versions = lay(clip), addon.versions
    versions.set_first_frame(strip, 15)
    versions.set_end_frame(strip, 20)
    sequence.recam.handles = 3
    take = take_of(reshoot(), sequence)
    assert (versions.first_frame(take), versions.end_frame(take)) == (15, 20)
    versions.set_first_frame(take, 12)
    versions.set_end_frame(take, 23)
    shown = pictures.shown(sequence, range(12, 23))
    assert measure.numbers(shown) == list(range(1, 12))
