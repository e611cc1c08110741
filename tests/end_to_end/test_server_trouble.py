"""A server that dies, is not there or is another; two Blenders at once; a missing camera."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import CLIPS, strips_of


@pytest.fixture
def city(sequence, lay, saved):
    sequence.render.resolution_x, sequence.render.resolution_y = 720, 405
    sequence.render.fps = 25
    return lay(CLIPS / "cityCC0.mpg", "city", frames=60)


@pytest.fixture
def preferences(bpy, package):
    """The add-on's preferences, as they were afterwards."""
    settings = bpy.context.preferences.addons[package].preferences
    yield settings
    settings.server = settings.server_key = ""


def journalled_shot(addon, folder):
    with closing(sqlite3.connect(folder / "state" / "journal.sqlite")) as database:
        [(shot,)] = database.execute("SELECT shot FROM jobs").fetchall()
    messages = addon.shared.protocol.messages
    return addon.shared.cameras.recam_json.shot_from_json(messages.parse_json(shot, "shot"))


def test_a_server_killed_in_mid_job_and_restarted_still_brings_the_take(
    addon, sequence, city, camera, saved, reshoot, at, own_server, drive
):
    """And the cameras in its journal are the ones in the scene."""
    at(own_server.address)
    for frame, place in ((11, (0, 0, 0)), (70, (1, 2, 0.5))):
        camera.location = place
        camera.keyframe_insert("location", frame=frame)
    camera.data.lens = 70
    sequence.recam.subject_distance = 12.5
    job = reshoot()
    drive(job, until=lambda: job.stand.stage == "rendering" and job.stand.share)
    own_server.stop(signal.SIGKILL)
    shot = journalled_shot(addon, own_server.folder)  # which goes with the job's end
    for _ in range(10):
        assert job.tick() is not None  # nothing is given up at once
        time.sleep(0.02)
    own_server.start()
    drive(job)
    assert job.take == "city take 1", str(job.error)
    assert strips_of(sequence)[job.take].frame_final_duration == 60
    own_server.stop()
    assert shot.subject_distance == 12.5 and shot.trajectory.rate == 25
    poses, lenses = shot.trajectory.poses, shot.trajectory.lenses
    for index, frame in ((0, 11), (30, 41), (59, 70)):
        sequence.frame_set(frame)
        expected = np.array(camera.matrix_world) * (1, -1, -1, 1)
        np.testing.assert_allclose(poses[index], expected, atol=1e-6)
    np.testing.assert_allclose(lenses[:, 0], 70 / 36, rtol=1e-6)
    np.testing.assert_allclose(lenses[:, 1], 70 / 36 * 720 / 405, rtol=1e-6)


def test_no_server_at_all_is_said_soon(addon, clip, camera, lay, reshoot, at, drive, monkeypatch):
    monkeypatch.setattr(addon.jobs.job, "CONNECT_SECONDS", 1.0)
    at("tcp://127.0.0.1:9")
    strip = lay(clip)
    job = drive(reshoot(), seconds=5)
    assert job.error.code == "server_unreachable"
    assert "127.0.0.1:9" in job.error.sentence and "panel Server" in job.error.hint
    assert not strip.mute


def test_a_server_that_comes_up_late_is_waited_for(
    sequence, clip, camera, lay, saved, reshoot, at, own_server, take_of
):
    own_server.stop()
    at(own_server.address)
    lay(clip)
    job = reshoot()
    while job.stand.stage != "connecting":
        job.tick()
    own_server.start()
    assert take_of(job, sequence).name == "shot take 1"


def test_a_wrong_server_key_is_said_and_a_corrected_one_works(
    addon, sequence, clip, camera, lay, saved, reshoot, keys, preferences, drive, take_of
):
    lay(clip)
    preferences.server_key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    job = drive(reshoot(), seconds=20)
    assert job.error.code == "server_key" and "key" in job.error.sentence
    preferences.server_key = (keys / "server.pub").read_text()
    assert take_of(reshoot(), sequence).name == "shot take 1"


def test_a_server_key_that_is_none_is_an_error_at_the_button(
    bpy, addon, clip, camera, lay, at, house, preferences
):
    at(house.address)
    lay(clip)
    preferences.server_key = "nonsense"
    with pytest.raises(RuntimeError, match="not a public key of Recam"):
        bpy.ops.recam.reshoot()
    preferences.server_key, preferences.server = "", "localhost"
    with pytest.raises(RuntimeError, match="not the address of a server"):
        bpy.ops.recam.reshoot()
    assert not addon.jobs.running.jobs


def test_a_scene_without_a_camera_is_said(clip, lay, reshoot, drive):
    strip = lay(clip)
    job = drive(reshoot())
    assert job.error.code == "camera_missing" and "no camera" in job.error.sentence
    assert not strip.mute


def test_the_button_wants_a_strip_with_a_clip(bpy, addon, sequence, new_effect, camera, at, house):
    at(house.address)
    assert not bpy.ops.recam.reshoot.poll()
    sequence.sequence_editor.active_strip = new_effect("COLOR", "grey")
    with pytest.raises(RuntimeError, match="is a color strip"):
        bpy.ops.recam.reshoot()
    assert not addon.jobs.running.jobs


def test_an_engine_that_cannot_run_here_is_said_in_words(
    sequence, clip, camera, lay, reshoot, drive
):
    lay(clip)
    sequence.recam.engine = "recammaster"
    job = drive(reshoot())
    assert job.error is not None and job.error.code != "addon_fault"
    assert job.error.sentence.endswith(".") and job.error.hint


def test_two_blenders_at_once_both_get_their_takes(
    bpy, sequence, city, camera, saved, reshoot, house, resources, drive, tmp_path
):
    script = Path(__file__).with_name("other_blender.py")
    command = [sys.executable, str(script), str(CLIPS / "cityCC0.mpg"), str(tmp_path / "b.blend")]
    bpy.ops.wm.save_userpref()
    other = subprocess.Popen(
        command,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(resources), "RECAM_SERVER": house.address},
        stdout=subprocess.PIPE,
        text=True,
    )
    line = next(line for line in other.stdout if line.startswith(("at work", "take:")))
    assert line == "at work\n"
    job = drive(reshoot())
    said, _ = other.communicate(timeout=60)
    assert job.take == "city take 1", str(job.error)
    assert "take: other take 1 None" in said
    assert (tmp_path / "recam_takes" / "other_take_001.mp4").is_file()
    assert [file.name for file in saved.glob("*.mp4")] == ["city_take_001.mp4"]
