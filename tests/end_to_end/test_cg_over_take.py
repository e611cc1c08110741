"""CG over a take: what stands in the scene lies on the take's picture, to the pixel."""

from __future__ import annotations

from math import radians
from pathlib import Path

import numpy as np
import pytest

FRAME = (320, 192)
METRES = 4.0  # to the subject
ASIDE = (-0.3, 0.2, -METRES)  # on the plane that the clip is thrown on, as its camera sees it
FIRST, LAST = 11, 18


@pytest.fixture
def stage(sequence):
    render = sequence.render
    render.resolution_x, render.resolution_y, render.fps = *FRAME, 24
    sequence.recam.engine = "projection"
    sequence.recam.subject_distance = METRES
    return sequence


@pytest.fixture
def flown(camera):
    """The camera moves, turns, zooms and shifts."""
    keys = {
        FIRST: ((0, 0, 0), (90, 0, 0), 45, (0.02, 0.01)),
        LAST: ((-0.3, 0.5, -0.1), (91, 1, 2), 55, (-0.03, 0.03)),
    }
    for frame, (place, turn, lens, shift) in keys.items():
        camera.location = place
        camera.rotation_euler = [radians(angle) for angle in turn]
        camera.data.lens = lens
        camera.data.shift_x, camera.data.shift_y = shift
        for owner, paths in (
            (camera, ("location", "rotation_euler")),
            (camera.data, ("lens", "shift_x", "shift_y")),
        ):
            for path in paths:
                owner.keyframe_insert(path, frame=frame)
    return camera


def point_before(scene, camera, frame):
    """The point in the scene, for a clip whose camera stood where this one is then."""
    from mathutils import Vector

    scene.frame_set(frame)
    return camera.matrix_world @ Vector(ASIDE)


def on_screen(scene, camera, frame, point):
    """Where a point lies in the render frame: pixels from the top left corner."""
    from bpy_extras.object_utils import world_to_camera_view

    scene.frame_set(frame)
    seen = world_to_camera_view(scene, camera, point)
    width, height = scene.render.resolution_x, scene.render.resolution_y
    return np.array([seen.x * width, (1 - seen.y) * height])


def marked(pictures, size, place):
    """A clip of that size with a soft white mark: pixels from the top left corner."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    spot = np.exp(-((x + 0.5 - place[0]) ** 2 + (y + 0.5 - place[1]) ** 2) / (2 * 5**2))
    picture = np.repeat((0.2 + 0.7 * spot)[..., None], 3, -1).astype(np.float32)
    return pictures.write("marked", np.repeat(picture[None], LAST - FIRST + 1, 0))


def middle_of_mark(picture):
    """The mark's centre of gravity: pixels from the top left corner."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    weight = np.where(picture[..., 1] > 0.45, picture[..., 1] - 0.45, 0)
    return np.array([((x + 0.5) * weight).sum(), ((y + 0.5) * weight).sum()]) / weight.sum()


def vertical(strip):
    """Fitted into the frame's height: 108 wide."""
    strip.transform.scale_x = strip.transform.scale_y = FRAME[1] / 320


def scaled_moved_and_trimmed(strip):
    """A square clip, enlarged beyond the frame, off its middle; its plate is rendered."""
    strip.transform.scale_x = strip.transform.scale_y = 1.1
    strip.transform.offset_x, strip.transform.offset_y = 24, -9


CASES = {
    "filling": (FRAME, lambda strip: None, 0),
    "vertical": ((180, 320), vertical, 0),
    "square, moved and trimmed": ((200, 200), scaled_moved_and_trimmed, 2),
}


@pytest.fixture
def shoot(addon, stage, flown, lay, saved, reshoot, take_of, pictures):
    """Re-shoots a clip whose mark lies where the camera sees the point: the take, the point."""

    def run(size=FRAME, change=lambda strip: None, trim=0):
        first = FIRST + trim  # where its camera is taken to stand, whatever handles there are
        point = point_before(stage, flown, first)
        goal = on_screen(stage, flown, first, point)
        strip = lay(pictures.write("blank", np.zeros((LAST - FIRST + 1, size[1], size[0], 3))))
        change(strip)
        placement = addon.clip.strips.placement_of(strip)
        rect = addon.clip.layout.picture_rect(placement, FRAME)
        place = (goal - (rect.left, rect.top)) / (rect.width, rect.height) * size
        strip.filepath = str(marked(pictures, size, place))
        addon.versions.set_first_frame(strip, FIRST + trim)
        return take_of(reshoot(), stage), point

    return run


@pytest.fixture
def furthest(stage, pictures):
    """How far, at most, the mark lies from the point in the scene camera's picture: pixels."""

    def run(frames, point):
        seen = [middle_of_mark(picture) for picture in pictures.shown(stage, frames)]
        assert np.linalg.norm(seen[-1] - seen[0]) > 15  # it does move
        meant = [on_screen(stage, stage.camera, frame, point) for frame in frames]
        return np.abs(np.subtract(meant, seen)).max()

    return run


@pytest.mark.parametrize("case", CASES)
def test_a_point_of_the_scene_lies_on_the_takes_mark(bpy, stage, shoot, furthest, case):
    size, change, trim = CASES[case]
    take, point = shoot(size, change, trim)
    assert bpy.ops.recam.cg_over_take() == {"FINISHED"}
    assert stage.camera.name == f"{take.name} camera"
    assert (stage.frame_start, stage.frame_end) == (FIRST + trim, LAST)
    assert furthest(range(FIRST + trim, LAST + 1), point) < 0.5


def test_the_camera_follows_a_take_that_was_moved_scaled_and_trimmed(
    bpy, addon, stage, shoot, furthest
):
    take, point = shoot()
    addon.versions.move(take, 20)
    addon.versions.set_first_frame(take, FIRST + 21)
    addon.versions.set_end_frame(take, LAST + 20)
    take.transform.scale_x, take.transform.scale_y = 0.8, 0.9
    take.transform.offset_x, take.transform.offset_y = 30, -14
    take.crop.max_x = 9
    bpy.ops.recam.cg_over_take()
    assert (stage.frame_start, stage.frame_end) == (FIRST + 21, LAST + 19)
    assert stage.render.pixel_aspect_x / stage.render.pixel_aspect_y == pytest.approx(9 / 8)
    assert furthest(range(FIRST + 21, LAST + 20), point) < 0.5


def test_the_second_half_of_a_take_that_was_cut_for_good(bpy, stage, shoot, furthest):
    """A hard cut drops the first half's frames from the strip."""
    take, point = shoot()
    half = take.split(FIRST + 3, "HARD")
    stage.sequence_editor.active_strip = half
    take.mute = True
    bpy.ops.recam.cg_over_take()
    assert (stage.frame_start, stage.frame_end) == (FIRST + 3, LAST)
    assert furthest(range(FIRST + 3, LAST + 1), point) < 0.5


def test_with_handles_the_point_stays_when_they_are_pulled_out(bpy, addon, stage, shoot, furthest):
    stage.recam.handles = 5

    def trim(strip):
        addon.versions.set_end_frame(strip, LAST - 1)

    take, point = shoot(change=trim, trim=3)
    versions = addon.versions
    assert (versions.first_frame(take), versions.end_frame(take)) == (FIRST + 3, LAST - 1)
    versions.set_first_frame(take, FIRST)
    versions.set_end_frame(take, LAST + 1)
    bpy.ops.recam.cg_over_take()
    assert (stage.frame_start, stage.frame_end) == (FIRST, LAST)
    assert furthest(range(FIRST, LAST + 1), point) < 0.5


def test_pixels_that_are_not_square_stay_so(bpy, stage, shoot, furthest):
    stage.render.pixel_aspect_x, stage.render.pixel_aspect_y = 1.0, 1.25
    _take, point = shoot()
    bpy.ops.recam.cg_over_take()
    assert stage.render.pixel_aspect_y == pytest.approx(1.25)
    assert furthest(range(FIRST, LAST + 1), point) < 0.5


def test_the_take_lies_behind_the_camera_in_step(bpy, addon, stage, shoot):
    take, _point = shoot((180, 320), vertical, 2)
    bpy.ops.recam.cg_over_take()
    data = stage.camera.data
    (behind,) = data.background_images
    assert data.show_background_images and behind.source == "MOVIE_CLIP"
    assert (behind.alpha, behind.display_depth) == (1.0, "BACK")
    assert bpy.path.abspath(behind.clip.filepath) == bpy.path.abspath(take.filepath)
    assert behind.clip.frame_start == FIRST + 2 == addon.versions.first_frame(take)
    assert behind.scale == pytest.approx(1, abs=0.01)  # as high as the frame
    assert tuple(behind.offset) == pytest.approx((0, 0), abs=0.005)
    assert tuple(behind.clip.display_aspect) == pytest.approx((1, 1), abs=0.01)
    take.transform.scale_x, take.transform.scale_y = 0.6, 0.3  # 108 by 96 pixels of 320 by 192
    take.transform.offset_x, take.transform.offset_y = 40, -20
    bpy.ops.recam.cg_over_take()
    (behind,) = data.background_images
    assert behind.scale == pytest.approx(96 / 192, abs=0.01)
    assert stage.render.pixel_aspect_y / stage.render.pixel_aspect_x == pytest.approx(2, abs=0.01)
    assert tuple(behind.clip.display_aspect) == pytest.approx((1, 1), abs=0.01)
    # Up in shares of the fitted picture's proportions, as seen in a window.
    up = -20 / 192 * (108 / 320) / (96 / 192)
    assert tuple(behind.offset) == pytest.approx((40 / 320, up), abs=0.005)


def state(bpy, scene):
    render = scene.render
    return (
        (scene.camera, scene.frame_start, scene.frame_end, scene.frame_current),
        (render.resolution_x, render.resolution_y, render.fps, render.fps_base),
        (render.pixel_aspect_x, render.pixel_aspect_y),
        (render.film_transparent, render.use_sequencer),
        [(marker.name, marker.frame, marker.camera) for marker in scene.timeline_markers],
        sorted(scene.keys()),
    )


def test_leaving_gives_the_scene_back(bpy, stage, flown, shoot):
    shoot()
    marker = stage.timeline_markers.new("cut", frame=14)
    marker.camera = flown
    stage.frame_start, stage.frame_end = 3, 99
    before = state(bpy, stage)
    bpy.ops.recam.cg_over_take()
    stage.frame_set(15)
    assert stage.camera != flown  # no marker takes it away
    assert stage.render.film_transparent and not stage.render.use_sequencer
    bpy.ops.recam.cg_over_take()  # again changes nothing of what it leaves
    assert len([thing for thing in stage.objects if thing.type == "CAMERA"]) == 2
    stage.frame_set(before[0][3])
    bpy.ops.recam.leave_cg()
    assert state(bpy, stage) == before
    with pytest.raises(RuntimeError):
        bpy.ops.recam.leave_cg()


def test_the_plane_with_the_clip_does_not_stand_before_the_take(bpy, stage, shoot):
    take, _point = shoot()
    bpy.ops.recam.set_up_camera()
    (screen,) = (thing for thing in stage.objects if thing.get("recam_part") == "screen")
    stage.sequence_editor.active_strip = take
    bpy.ops.recam.cg_over_take()
    bpy.ops.recam.cg_over_take()
    assert screen.hide_viewport
    bpy.ops.recam.leave_cg()
    assert not screen.hide_viewport


def test_cg_over_a_take_is_one_undo_step(bpy, stage, shoot):
    shoot()
    bpy.ops.ed.undo_push(message="the artist's last step")
    bpy.ops.recam.cg_over_take()
    bpy.ops.ed.undo_push(message="CG over This Take")
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert scene.camera.name == "Camera" and "shot take 1 camera" not in scene.objects


def test_a_scene_of_its_own_gets_the_takes_frame_and_rate(bpy, addon, stage, flown, shoot):
    """Blender 5: the window may show another scene than its sequencer."""
    if not hasattr(bpy.context, "sequencer_scene"):
        pytest.skip("the sequencer always shows the window's scene in this Blender")
    take, point = shoot()
    other = bpy.data.scenes.new("CG")
    bpy.context.window_manager.windows[0].scene = other
    addon.versions.show_in_sequencer(bpy.context, stage)
    other.render.fps = 30
    before = state(bpy, stage)
    bpy.ops.recam.cg_over_take()
    assert state(bpy, stage) == before
    render = other.render
    assert (render.resolution_x, render.resolution_y, render.fps) == (*FRAME, 24)
    assert other.camera.name == f"{take.name} camera" and other.frame_start == FIRST
    assert np.allclose(
        on_screen(other, other.camera, FIRST, point),
        on_screen(stage, flown, FIRST, point),
        atol=1e-3,
    )


def test_a_take_that_was_retimed_or_turned_is_refused_in_words(bpy, stage, shoot):
    take, _point = shoot()
    before = state(bpy, stage)
    take.use_reverse_frames = True
    with pytest.raises(RuntimeError, match="was retimed"):
        bpy.ops.recam.cg_over_take()
    take.use_reverse_frames, take.use_flip_x = False, True
    with pytest.raises(RuntimeError, match="turned, mirrored"):
        bpy.ops.recam.cg_over_take()
    take.use_flip_x = False
    Path(bpy.path.abspath(take.filepath)).unlink()
    with pytest.raises(RuntimeError, match="is missing"):
        bpy.ops.recam.cg_over_take()
    assert state(bpy, stage) == before
