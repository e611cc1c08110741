"""“Set Up Camera”: the clip on its screen, seen from the source camera, in step with the strip."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def lay(sequence):
    def run(path, name="shot", start=11, fit="ORIGINAL"):
        strip = strips_of(sequence).new_movie(name, str(path), 2, start, fit_method=fit)
        sequence.sequence_editor.active_strip = strip
        return strip

    return run


@pytest.fixture
def set_up(bpy, addon, sequence):
    """Presses the button; the rig's parts by name."""

    def run(**options):
        assert bpy.ops.recam.set_up_camera(**options) == {"FINISHED"}
        rigs = addon.camera.rig
        rig = sequence.recam.rig
        names = (rigs.SOURCE, rigs.HOLDER, rigs.SCREEN, rigs.CAMERA, rigs.SUBJECT)
        return {name: rigs.part(rig, name) for name in names}

    return run


def corners(bpy, scene, screen, camera):
    """The screen's corners in fractions of the camera's frame: ``(4, 3)``, x, y up, depth."""
    from bpy_extras.object_utils import world_to_camera_view

    bpy.context.view_layer.update()
    points = [screen.matrix_world @ vertex.co for vertex in screen.data.vertices]
    return np.array([world_to_camera_view(scene, camera, point) for point in points])


WHOLE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])


def test_the_clip_stands_in_step_before_two_cameras(bpy, sequence, clip, lay, set_up):
    strip = lay(clip)
    strip.frame_final_start, strip.frame_final_end = 14, 30
    parts = set_up()
    source, camera, screen = parts["source"], parts["camera"], parts["screen"]
    assert source.matrix_world == camera.matrix_world
    assert source.location.z == pytest.approx(1.6)
    assert sequence.camera == camera == sequence.recam.camera
    assert sequence.recam.source_camera == source and sequence.recam.subject == parts["subject"]
    assert (sequence.frame_start, sequence.frame_end) == (14, 29)
    seen = corners(bpy, sequence, screen, source)
    assert np.abs(seen[:, :2] - WHOLE).max() < 1e-5
    assert seen[:, 2] == pytest.approx([4] * 4)
    user = screen.active_material.node_tree.nodes["Recam Clip"].image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (14, 3, 16)
