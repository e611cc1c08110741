"""The whole chain with the model: a path animated in Blender, a server with weights, the strips.

The weights are the miniature release's: its pictures are noise, the way to them is the real one.
"""

from __future__ import annotations

import json
from math import radians
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import strips_of

FIRST, FRAMES = 11, 22  # of the clip; the last is none that a latent ends on
WIDTH, HEIGHT = 96, 64
PATIENCE = 240  # seconds for a job on a busy machine
LATENTS = 21  # of a window


@pytest.fixture(scope="session")
def small_clip(pictures, measure):
    """A picture that moves to the right, a pixel a frame."""
    picture = measure.numbered(1, WIDTH, HEIGHT)[0]
    return pictures.write("small", [np.roll(picture, n, axis=1) for n in range(FRAMES)])


@pytest.fixture
def shot(sequence, camera, small_clip, lay, saved, reshoot, at, model_house):
    """The clip's strip, in a scene whose camera moves on a dolly of another size."""
    at(model_house.address)
    sequence.render.resolution_x, sequence.render.resolution_y = WIDTH, HEIGHT
    return lay(small_clip)


@pytest.fixture
def dolly(bpy, sequence, camera):
    """Centimetres; a camera of any size that turns on a dolly of another, which drives away."""
    sequence.unit_settings.scale_length = 0.01
    dolly = bpy.data.objects.new("Dolly", None)
    sequence.collection.objects.link(dolly)
    camera.parent = dolly
    dolly.scale = (3.0, 3.0, 3.0)
    camera.scale = (0.5, 2.0, 7.0)
    camera.location = (20, -40, 55)
    end = FIRST + FRAMES - 1
    for frame, place, turn in ((FIRST, (300, -100, 0), 40), (end, (380, -60, 30), 75)):
        dolly.location, dolly.rotation_euler = place, (0, radians(5), radians(turn))
        dolly.keyframe_insert("location", frame=frame)
        dolly.keyframe_insert("rotation_euler", frame=frame)
    for frame, tilt, roll in ((FIRST, 80, 0), (FIRST + 9, 95, 10), (end, 90, -15)):
        camera.rotation_euler = (radians(tilt), 0, radians(roll))
        camera.keyframe_insert("rotation_euler", frame=frame)
    return dolly


@pytest.fixture
def walker(bpy, sequence):
    """A subject that walks away from where it stands at the clip's first frame."""
    walker = bpy.data.objects.new("Walker", None)
    sequence.collection.objects.link(walker)
    for frame, place in ((FIRST, (40, 450, 20)), (FIRST + FRAMES, (40, 2000, 20))):
        walker.location = place
        walker.keyframe_insert("location", frame=frame)
    return walker


def test_the_path_in_blender_is_what_the_model_gets_and_its_takes_come_back_as_strips(
    bpy, sequence, shot, camera, dolly, walker, saved, reshoot, drive, pictures
):
    settings = sequence.recam
    settings.takes, settings.seed, settings.prompt = 2, 7, "A grey wall."
    settings.subject = walker
    expected, metres = told(sequence, camera, walker)
    assert settings.engine == "auto" and sequence.frame_current == FIRST + FRAMES - 1
    job, words = reshoot(), set()
    drive(job, until=lambda: words.add(job.stand.words), seconds=PATIENCE)
    assert job.error is None, str(job.error)
    assert job.engine == "recammaster" and job.engine_reason
    assert {"Reading the prompt", "Denoising", "Writing the take"} <= words
    assert any("was taken to stand still" in remark for remark in job.remarks)

    takes = [strips_of(sequence)[name] for name in job.takes]
    assert [(take.name, take.channel, take.mute) for take in takes] == [
        ("shot take 1", 3, False),
        ("shot take 2", 4, True),
    ]
    assert shot.mute and sequence.sequence_editor.active_strip == takes[0]
    for take, seed in zip(takes, (7, 8), strict=True):
        assert (take.frame_final_start, take.frame_final_duration) == (FIRST, FRAMES)
        assert (take.elements[0].orig_width, take.elements[0].orig_height) == (WIDTH, HEIGHT)
        record = json.loads(take["recam"])
        assert record["engine"] == "recammaster"
        assert record["subject_distance"] == pytest.approx(metres, abs=1e-5)
        assert record["settings"] == {"takes": 2, "seed": 7, "prompt": "A grey wall."}
        assert record["report"]["seed"] == seed
        assert record["report"]["model_size"] == f"{WIDTH} x {HEIGHT}"
        given = np.array(record["report"]["camera"])
        assert given.shape == (LATENTS, 12)
        np.testing.assert_allclose(given, expected, rtol=0, atol=1e-6)
    files = [Path(bpy.path.abspath(take.filepath)) for take in takes]
    shown = pictures.movie(files, WIDTH, HEIGHT)
    assert len(shown) == 2 * FRAMES
    assert shown[0].std() > 0.01 and np.abs(shown[0] - shown[FRAMES]).mean() > 0.01


def test_a_refused_and_a_cancelled_job_are_said_and_the_next_one_runs(
    bpy, addon, sequence, shot, camera, saved, reshoot, drive
):
    for frame, lens in ((FIRST, 50), (FIRST + 5, 50), (FIRST + 6, 40)):
        camera.data.lens = lens
        camera.data.keyframe_insert("lens", frame=frame)
    refused = drive(reshoot(), seconds=PATIENCE)
    assert refused.stand.stage == "failed" and refused.error.code == "lens"
    assert "lens shows more than the clip's" in refused.error.sentence and refused.error.hint
    assert not shot.mute and not refused.takes

    camera.data.animation_data_clear()
    cancelled = reshoot()
    drive(cancelled, until=lambda: cancelled.stand.words == "Denoising", seconds=PATIENCE)
    bpy.ops.recam.cancel(job=cancelled.id)
    drive(cancelled, seconds=PATIENCE)
    assert cancelled.stand.stage == "cancelled" and cancelled.error is None

    job = drive(reshoot(), seconds=PATIENCE)
    assert job.takes == ["shot take 1"], str(job.error)
    assert [file.name for file in saved.glob("*.mp4")] == ["shot_take_001.mp4"]


def told(scene, camera, subject) -> tuple[np.ndarray, float]:
    """``(21, 12)``: what the model is to be told of Blender's camera, from its matrices alone.

    And the metres to the subject.

    Camera i seen from camera 0, in axes right, down, forward, at every fourth frame and then at
    the last; in units of a quarter of the way to the subject, whatever the scene's are.
    """
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    matrices = []
    for latent in range(LATENTS):
        scene.frame_set(FIRST + min(4 * latent, FRAMES - 1))
        matrix = np.array(camera.matrix_world)
        matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
        matrices.append(matrix)
        if latent == 0:
            first = flip @ np.linalg.inv(matrix)
            ahead = (first @ np.array(subject.matrix_world))[2, 3]
    assert ahead > 0
    seen = first @ matrices @ flip
    seen[:, :3, 3] *= 4 / ahead
    return seen[:, :3].reshape(LATENTS, 12), ahead * scene.unit_settings.scale_length
