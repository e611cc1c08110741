"""From a strip to CG over its take, as an artist goes: set up, move, re-shoot, CG."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.blender_fixtures import shown_frames

ASIDE = (-0.3, 0.2, -4.0)  # as the source camera sees it, in metres
SECONDS = 60.0


@pytest.fixture
def whole_way(bpy, addon, sequence, reshoot, take_of, pictures):
    """Goes it with the projection engine and sees that it leads somewhere: what it made.

    The take lies over its strip, has a picture, and a point of the scene is seen through the
    take's camera where it was seen through the moved one, to a pixel.
    """

    def run(strip):
        frames, stage = shown_frames(strip), bpy.context.scene
        sequence.sequence_editor.active_strip = strip
        sequence.recam.engine = "projection"
        assert bpy.ops.recam.set_up_camera() == {"FINISHED"}
        footage(addon)
        sequence.recam_move.move = "arc_left"
        assert bpy.ops.recam.add_move() == {"FINISHED"}
        camera, source = sequence.recam.camera, sequence.recam.source_camera
        take = take_of(reshoot(), sequence)
        assert shown_frames(take) == frames
        assert not take.mute and strip.mute
        metre = 1 / stage.unit_settings.scale_length
        point = source.matrix_world @ mathutils().Vector([x * metre for x in ASIDE])
        looked_at = sorted({frames[0], frames[len(frames) // 2], frames[-1]})
        before = [seen(stage, camera, frame, point) for frame in looked_at]
        assert len(frames) == 1 or np.linalg.norm(before[0] - before[-1]) > 1  # it does move
        size = stage.render.resolution_x, stage.render.resolution_y
        if frames[-1] >= 0:  # Blender renders nothing before
            assert pictures.shown(sequence, frames[-1:]).max() > 0.3
        sequence.sequence_editor.active_strip = take
        assert bpy.ops.recam.cg_over_take() == {"FINISHED"}
        scene_range = max(frames[0], 0), max(frames[-1], 0)  # which cannot begin before
        assert (stage.frame_start, stage.frame_end) == scene_range
        assert (stage.render.resolution_x, stage.render.resolution_y) == size
        after = [seen(stage, stage.camera, frame, point) for frame in looked_at]
        assert stage.camera != camera
        np.testing.assert_allclose(after, before, atol=1)
        return SimpleNamespace(take=take, camera=camera, source=source, stage=stage)

    return run


def footage(addon) -> None:
    """Wait until the clip is rendered for the 3D view, where it has to be."""
    job, end = addon.camera.footage.job, time.monotonic() + SECONDS
    while job is not None and job.tick() is not None:
        assert time.monotonic() < end, "the clip is still rendered for the 3D view"
        time.sleep(0.02)
    assert job is None or job.error is None, str(job.error)


def seen(scene, camera, frame, point):
    """Where a point lies in the render frame: pixels from the bottom left corner."""
    from bpy_extras.object_utils import world_to_camera_view

    scene.frame_set(frame)
    place = world_to_camera_view(scene, camera, point)
    return np.array([place.x * scene.render.resolution_x, place.y * scene.render.resolution_y])


def mathutils():
    import mathutils  # Blender's, there once bpy is

    return mathutils
