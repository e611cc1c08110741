"""A trajectory as keys on a Blender camera: what Blender films is the trajectory."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import radians

import numpy as np
import pytest

FRAMES = 6


@pytest.fixture
def trajectory(addon):
    """It rolls past half a turn, zooms, and its centre wanders."""
    from mathutils import Euler

    poses = np.repeat(np.eye(4)[None], FRAMES, 0)
    for number, pose in enumerate(poses):
        turn = Euler([radians(a) for a in (80 + 4 * number, 10, 165 + 8 * number)], "XYZ")
        pose[:3, :3] = np.array(turn.to_matrix()) @ np.diag([1, -1, -1])
        pose[:3, 3] = 0.3 * number, -1, 2
    steps = np.linspace(0, 1, FRAMES)
    lenses = np.stack([1 + steps, 0 * steps, 0.5 + 0.1 * steps, 0.5 - 0.2 * steps], -1)
    return lambda tall: addon.shared.cameras.trajectory.Trajectory(
        poses, lenses + np.outer(lenses[:, 0] * tall, [0, 1, 0, 0]), Fraction(24)
    )


@pytest.fixture
def carrier(bpy):
    """A parent that moves, as large in all directions."""
    carrier = bpy.data.objects.new("Carrier", None)
    carrier.scale = (2, 2, 2)
    for frame in (1, 30):
        carrier.location.x = carrier.rotation_euler.z = frame / 10
        carrier.keyframe_insert("location", frame=frame)
        carrier.keyframe_insert("rotation_euler", frame=frame)
    return carrier


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize(
    ("size", "pixels"), [((160, 96), (1, 1)), ((96, 160), (1, 1)), ((160, 96), (1, 2))]
)
def test_blender_films_the_trajectory_that_was_keyed(
    bpy, addon, sequence, trajectory, carrier, render_all, fit, size, pixels
):
    render = sequence.render
    render.resolution_x, render.resolution_y = size
    render.pixel_aspect_x, render.pixel_aspect_y = pixels
    frame = addon.camera.optics.Frame(size, pixels)
    meant = trajectory(size[0] / (size[1] * frame.tall))
    camera = addon.takes.again.new_camera("test", sequence)
    camera.data.sensor_fit = fit
    camera.data.sensor_width, camera.data.sensor_height = 30, 17
    camera.parent, camera.delta_location.z = carrier, 3
    addon.camera.keys.key_trajectory(camera, meant, 11, frame, sequence)
    sampler = addon.camera.sampling.CameraSampler(sequence, range(11, 11 + FRAMES), camera)
    render_all(sampler)
    filmed = sampler.trajectory()
    assert np.abs(filmed.poses - meant.poses).max() < 1e-5
    assert np.abs(filmed.lenses - meant.lenses).max() < 1e-5


@pytest.mark.parametrize("mode", ["XYZ", "YZX", "QUATERNION", "AXIS_ANGLE"])
def test_between_two_keys_the_camera_does_not_turn_round(bpy, addon, sequence, trajectory, mode):
    """Motion blur sees what lies between the frames."""
    camera = addon.takes.again.new_camera("test", sequence)
    camera.rotation_mode = mode
    frame = addon.camera.optics.Frame((160, 96))
    addon.camera.keys.key_trajectory(camera, trajectory(160 / 96), 11, frame, sequence)
    turns = []
    for step in range(4 * (FRAMES - 1) + 1):
        sequence.frame_set(11 + step // 4, subframe=step % 4 / 4)
        turns.append(camera.matrix_world.to_quaternion())
    angles = [a.rotation_difference(b).angle for a, b in pairwise(turns)]
    angles = [min(angle, 2 * np.pi - angle) for angle in angles]
    assert max(angles) < radians(9 / 4 * 1.6)
