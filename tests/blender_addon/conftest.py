"""The add-on in real Blender, without a server."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest


def pytest_configure(config):
    """Load the fixtures that these tests share with the end-to-end tests, once for both."""
    config.pluginmanager.import_plugin("tests.blender_fixtures")


@pytest.fixture
def strip(sequence, clip, addon):
    """The clip over frames 11 to 34."""
    strips = addon.versions.strips(sequence.sequence_editor)
    strip = strips.new_movie("clip", str(clip), 1, 11)
    sequence.sequence_editor.active_strip = strip
    return strip


@pytest.fixture
def new_camera(bpy, sequence):
    """Puts a camera into the scene."""

    def run(name, place=(3.0, -7.0, 1.5), turn=(1.4, 0.1, 0.4)):
        camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
        sequence.collection.objects.link(camera)
        camera.location, camera.rotation_euler = place, turn
        bpy.context.view_layer.update()
        return camera

    return run


@pytest.fixture
def add(bpy, sequence):
    """Adds a move by the button, as the panel's settings say."""

    def run(move, **values):
        sequence.recam_move.move = move
        for name, value in values.items():
            setattr(sequence.recam_move, name, value)
        assert bpy.ops.recam.add_move() == {"FINISHED"}

    return run


@pytest.fixture
def shaken(sequence, new_camera, addon):
    """A source camera whose move is shaky, and whose lens zooms."""
    source = new_camera("Source", (0, -9, 2), (radians(90), 0, 0))
    noise = np.random.default_rng(2).normal(0, 0.05, (24, 3))
    for number in range(24):
        frame = 11 + number
        source.location = np.array((0.05 * number, -9, 2)) + noise[number]
        source.data.lens = 40 + number
        source.keyframe_insert("location", frame=frame)
        source.data.keyframe_insert("lens", frame=frame)
    sequence.recam.source_camera = source
    return source
