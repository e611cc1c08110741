"""Plates against what the sequencer shows: which frames, which part of the picture."""

from __future__ import annotations

import shutil
import struct
import time
from fractions import Fraction
from math import radians
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import all_strips_of, shown_frames, strips_of, trim


@pytest.fixture
def strip(sequence, clip):
    """The numbered clip from frame 11 on, untouched."""
    return strips_of(sequence).new_movie("Städte, 1. Take", str(clip), 1, 11)


@pytest.fixture
def rendered(addon, sequence, tmp_path, render_all, pictures):
    """Renders a strip to a plate; the plate and its frames (F, H, W, 3)."""

    def run(strip):
        renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path / "plate")
        render_all(renderer)
        plate = renderer.plate()
        return plate, pictures.movie(plate.parts, plate.width, plate.height)

    return run


def part(frames, rect):
    top, left = int(rect.top), int(rect.left)
    return frames[:, top : top + int(rect.height), left : left + int(rect.width)]


def trimmed(strip):
    trim(strip, 14, 31)


def split(strip):
    strip.split(20, "HARD")


def test_an_untouched_strip_is_sent_as_its_file(addon, sequence, strip, clip):
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert addon.clip.plate.untouched(strip, sequence)
    assert plate.parts == [clip]
    assert (plate.first, plate.frames, plate.rate) == (0, 24, Fraction(24))
    assert (plate.width, plate.height, plate.original) == (160, 96, True)
    assert plate.rect == addon.clip.layout.Rect(0, 0, 160, 96)


@pytest.mark.parametrize("cut", [trimmed, split])
def test_a_trimmed_strip_is_sent_as_its_file_with_in_and_out_points(
    addon, sequence, strip, pictures, measure, cut
):
    cut(strip)
    for piece in strips_of(sequence):
        assert addon.clip.plate.untouched(piece, sequence)
        plate = addon.clip.plate.original_plate(piece, sequence)
        frames = shown_frames(piece)
        shown = measure.numbers(pictures.shown(sequence, (frames[0], frames[-1])))
        assert shown == [plate.first, plate.first + plate.frames - 1]


def test_a_trimmed_file_that_blender_shifted_hard_keeps_its_frames(
    addon, sequence, strip, pictures, measure
):
    renamed = hasattr(strip, "content_trim_start")  # in Blender 5.1
    setattr(strip, "content_trim_start" if renamed else "animation_offset_start", 5)
    trim(strip, shown_frames(strip)[0] + 2)
    plate = addon.clip.plate.original_plate(strip, sequence)
    shown = pictures.shown(sequence, [shown_frames(strip)[0], shown_frames(strip)[-1]])
    assert measure.numbers(shown) == [plate.first, plate.first + plate.frames - 1]
    assert plate.first == 7


def test_a_scaled_strip_inside_the_frame_is_sent_as_its_file(addon, sequence, strip):
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert addon.clip.plate.untouched(strip, sequence)
    assert plate.rect == addon.clip.layout.Rect(40, 24, 80, 48)


def mirrored(strip):
    strip.use_flip_x = True
    strip.transform.offset_x = 30


def upside_down_and_cropped(strip):
    strip.use_flip_y = True
    strip.crop.min_x, strip.crop.max_x, strip.crop.min_y, strip.crop.max_y = 11, 4, 7, 22


def zoomed(strip):
    strip.transform.scale_x, strip.transform.scale_y = 1.7, 1.3
    strip.transform.offset_x, strip.transform.offset_y = 12, -9


def shrunk_at_a_corner(strip):
    strip.transform.origin = (0.0, 0.0)
    strip.transform.scale_x = strip.transform.scale_y = 0.6
    strip.transform.offset_x, strip.transform.offset_y = 5, 3


def turned(strip):
    strip.transform.rotation = radians(20)
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    strip.transform.offset_x = 15


def off_the_edge_by_odd_pixels(strip):
    strip.transform.offset_x, strip.transform.offset_y = 33, 11


def brighter(strip):
    strip.color_multiply, strip.color_saturation = 1.3, 0.5


def modified(strip):
    strip.modifiers.new("curves", "BRIGHT_CONTRAST").bright = 20


def backwards(strip):
    strip.use_reverse_frames = True


def stuttering(strip):
    strip.strobe = 3


def held_beyond_its_end(strip):
    trim(strip, end=shown_frames(strip).stop + 4)


CHANGES = [
    mirrored,
    upside_down_and_cropped,
    zoomed,
    shrunk_at_a_corner,
    turned,
    off_the_edge_by_odd_pixels,
    brighter,
    modified,
    backwards,
    stuttering,
    held_beyond_its_end,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_strip_is_rendered_as_the_sequencer_shows_it(
    addon, sequence, strip, rendered, pictures, measure, change
):
    change(strip)
    assert not addon.clip.plate.untouched(strip, sequence)
    plate, frames = rendered(strip)
    shown = pictures.shown(sequence, shown_frames(strip))
    assert not plate.original and plate.first == 0
    assert (plate.width % 2, plate.height % 2) == (0, 0)
    assert len(frames) == plate.frames == len(shown)
    for made, seen in zip(frames, part(shown, plate.rect), strict=True):
        assert measure.psnr(made, seen) > 28  # a pixel aside: below 24
    outside = shown.copy()
    part(outside, plate.rect)[:] = 0
    lit = (outside.max(axis=(0, 3)) > 0.1).sum()
    assert lit <= 4 * (plate.width + plate.height)  # softened edges, and what made it odd


def test_retiming_is_rendered(bpy, addon, sequence, strip, rendered, pictures, measure):
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    strip.select = True
    sequence.sequence_editor.active_strip = strip
    region = next(r for r in area.regions if r.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.retiming_key_add(timeline_frame=20)
        bpy.ops.sequencer.retiming_segment_speed_set(speed=50)
    assert not addon.clip.plate.untouched(strip, sequence)
    _plate, frames = rendered(strip)
    shown = pictures.shown(sequence, shown_frames(strip))
    made, seen = np.array(measure.numbers(frames)), np.array(measure.numbers(shown))
    assert len(set(made)) == 24 and len(made) > 34
    assert list(made) == list(seen)


def test_another_frame_rate_is_rendered_frame_for_frame(
    addon, sequence, strip, rendered, pictures, measure
):
    sequence.render.fps = 30
    assert not addon.clip.plate.untouched(strip, sequence)
    plate, frames = rendered(strip)
    assert plate.rate == 30
    assert measure.numbers(frames) == list(range(24))


def test_a_fitted_vertical_strip_loses_its_bars(addon, sequence, pictures, measure, rendered):
    file = pictures.write("tall", measure.numbered(3, 54, 96))
    strip = strips_of(sequence).new_movie("tall", str(file), 1, 1)
    strip.transform.scale_x = strip.transform.scale_y = 1.1
    plate, frames = rendered(strip)
    shown = pictures.shown(sequence, range(1, 4))
    assert plate.rect == addon.clip.layout.Rect(52, 0, 56, 96)  # 50.3 to 109.7 on the screen
    assert measure.psnr(frames, part(shown, plate.rect)) > 30


def test_only_this_strip_is_rendered_though_it_is_muted_faint_and_covered(
    sequence, strip, clip, rendered, pictures, measure
):
    strip.transform.offset_x = 40
    alone = pictures.shown(sequence, [11])
    strip.mute, strip.blend_alpha, strip.blend_type = True, 0.3, "MULTIPLY"
    above = strips_of(sequence).new_movie("above", str(clip), 2, 5)
    above.use_flip_x = True
    sequence.sequence_editor.channels[1].mute = True
    plate, frames = rendered(strip)
    assert measure.psnr(frames[0], part(alone, plate.rect)[0]) > 30


def test_a_fade_and_a_keyed_move_are_rendered_in_the_whole_frame(
    sequence, strip, rendered, pictures, measure
):
    for frame, alpha, x in ((11, 0.0, 0.0), (34, 1.0, 60.0)):
        strip.blend_alpha, strip.transform.offset_x = alpha, x
        strip.keyframe_insert("blend_alpha", frame=frame)
        strip.transform.keyframe_insert("offset_x", frame=frame)
    plate, frames = rendered(strip)
    shown = pictures.shown(sequence, range(11, 35))
    assert (plate.width, plate.height) == (160, 96)
    assert measure.psnr(frames, shown) > 30
    assert frames[0].max() < 0.1 < frames[-1].max()


def test_an_effect_on_the_strip_is_rendered_too(
    addon, sequence, strip, rendered, pictures, measure, new_effect
):
    blur = new_effect("GAUSSIAN_BLUR", "blur", strip)
    blur.size_x = blur.size_y = 8
    assert not addon.clip.plate.untouched(strip, sequence)
    _plate, frames = rendered(strip)
    assert measure.psnr(frames, pictures.shown(sequence, range(11, 35))) > 30


def test_tone_mapping_stays_out_of_the_plate(sequence, strip, rendered, pictures, measure):
    strip.color_multiply = 0.9
    plain = pictures.shown(sequence, [11])
    view = sequence.view_settings
    view.view_transform, view.exposure, view.gamma = "AgX", 1.5, 1.3
    _plate, frames = rendered(strip)
    assert measure.psnr(frames[0], plain[0]) > 30
    assert view.view_transform == "AgX"


def test_rendering_touches_nothing_of_the_artists(
    bpy, addon, sequence, strip, tmp_path, measure, pictures
):
    strip.use_reverse_frames = True
    sequence.frame_set(3)
    sequence.render.filepath = "//mine"
    sequence.render.resolution_percentage = 50
    pictures.shown(sequence, [11])  # Blender makes its “Render Result” image once
    before = state(bpy, sequence, strip)
    renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path / "häppchen 1")
    shares = []
    while not shares or shares[-1] < 1:
        assert state(bpy, sequence, strip) == before
        time.sleep(0.01)
        shares.append(renderer.look())
    assert len(set(shares)) > 2 and shares == sorted(shares)
    renderer.cancel()  # does no harm to a plate that is done
    assert list((tmp_path / "häppchen 1").iterdir()) == renderer.plate().parts
    plate = renderer.plate()
    frames = pictures.movie(plate.parts, plate.width, plate.height)
    assert measure.numbers(frames) == list(range(23, -1, -1))


def test_a_cancelled_rendering_leaves_nothing(addon, sequence, strip, tmp_path):
    strip.use_flip_x = True
    renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path / "work")
    while renderer.look() == 0:
        time.sleep(0.01)
    renderer.cancel()
    assert list((tmp_path / "work").iterdir()) == []


def state(bpy, scene, strip):
    render, image = scene.render, scene.render.image_settings
    kinds = [p.identifier for p in bpy.data.bl_rna.properties if p.type == "COLLECTION"]
    return (
        [len(getattr(bpy.data, kind)) for kind in kinds],
        (scene.frame_current, scene.frame_start, scene.frame_end, bpy.context.scene),
        (render.filepath, render.resolution_x, render.resolution_y, render.resolution_percentage),
        (image.file_format, scene.view_settings.view_transform, len(scene.collection.objects)),
        (strip.mute, strip.select, strip.name, strip.blend_type, strip.transform.offset_x),
        [s.name for s in all_strips_of(scene)],
    )


def test_a_strip_changed_while_it_renders_is_rendered_as_it_was(
    addon, sequence, strip, tmp_path, render_all, pictures, measure
):
    strip.use_reverse_frames = True
    renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path)
    renderer.look()
    strip.name, strip.use_reverse_frames = "renamed", False
    trim(strip, end=20)
    render_all(renderer)
    plate = renderer.plate()
    frames = pictures.movie(plate.parts, plate.width, plate.height)
    assert measure.numbers(frames) == list(range(23, -1, -1))


def test_a_strip_deleted_while_it_renders_is_said(addon, sequence, strip, tmp_path):
    strip.use_flip_x = True
    renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path)
    strips_of(sequence).remove(strip)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        renderer.look()
    assert error.value.code == "strip_gone"
    renderer.cancel()


def test_a_rendering_that_writes_nothing_says_so(bpy, addon, sequence, strip, tmp_path, render_all):
    strip.use_flip_x = True
    (tmp_path / "plate.mp4").mkdir()
    renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        render_all(renderer)
    assert error.value.code == "plate_render" and "Städte" in error.value.sentence
    assert len(bpy.data.scenes) == 1


def test_a_path_relative_to_the_blend_file_is_found(bpy, addon, sequence, strip, clip, tmp_path):
    (tmp_path / "Fußball clips").mkdir()
    shutil.copy(clip, tmp_path / "Fußball clips" / "größe 1.mp4")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    strip.filepath = "//Fußball clips/größe 1.mp4"
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert plate.parts == [tmp_path / "Fußball clips" / "größe 1.mp4"]


def nothing(sequence, strip, new_effect):
    return None


def a_colour(sequence, strip, new_effect):
    return new_effect("COLOR", "red")


def without_its_file(sequence, strip, new_effect):
    strip.filepath = "//not/here.mp4"
    return strip


def pushed_out_of_the_frame(sequence, strip, new_effect):
    strip.transform.offset_x = 500
    return strip


WRONG = {
    nothing: ("strip_none", "Select one"),
    a_colour: ("strip_kind", "“red” is a color strip"),
    without_its_file: ("strip_file", "here.mp4"),
    pushed_out_of_the_frame: ("strip_hidden", "“Städte, 1. Take”"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_strip_that_gives_no_plate_is_refused_in_words(addon, sequence, strip, new_effect, wrong):
    code, words = WRONG[wrong]
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(wrong(sequence, strip, new_effect), sequence)
    assert error.value.code == code and words in str(error.value)


def test_a_file_that_is_no_movie_is_refused(addon, sequence, strip, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(bytes(1000))
    broken = strips_of(sequence).new_movie("broken", str(tmp_path / "broken.mp4"), 2, 1)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(broken, sequence)
    assert error.value.code == "strip_file"


def test_an_upright_phone_clip_is_sent_as_blender_shows_it(
    bpy, addon, sequence, clip, tmp_path, rendered, pictures, measure
):
    """Its file asks for a quarter turn, which Blender 4.2 does not make, but the server does."""
    file = bytearray(clip.read_bytes())
    matrix = file.index(b"tkhd") + 44
    file[matrix : matrix + 20] = struct.pack(">5i", 0, 1 << 16, 0, -1 << 16, 0)
    (tmp_path / "phone.mp4").write_bytes(file)
    strip = strips_of(sequence).new_movie("phone", str(tmp_path / "phone.mp4"), 1, 1)
    sequence.render.resolution_y = 160
    turns = strip.elements[0].orig_height == 160
    assert turns == (bpy.app.version >= (4, 5))
    assert addon.clip.plate.untouched(strip, sequence) == turns
    plate, frames = rendered(strip)
    shown = pictures.shown(sequence, [1])
    assert (plate.width, plate.height) == ((96, 160) if turns else (160, 96))
    assert measure.psnr(frames[:1], part(shown, plate.rect)) > 30


def test_real_footage_of_odd_height_is_sent_as_its_file(addon, sequence):
    city = Path(__file__).resolve().parents[1] / "clips" / "cityCC0.mpg"
    sequence.render.resolution_x, sequence.render.resolution_y = 1280, 720
    sequence.render.fps = 25
    strip = strips_of(sequence).new_movie("city", str(city), 1, 1)
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert addon.clip.plate.untouched(strip, sequence)
    assert (plate.width, plate.height, plate.frames) == (720, 405, 190)
    assert plate.rect == addon.clip.layout.Rect(280, 158, 720, 405)
    assert np.isclose(float(plate.rate), 25)


def test_nothing_of_the_3d_scene_goes_to_the_other_blender(bpy, addon, sequence, strip, tmp_path):
    strip.use_flip_x = True
    thing = bpy.data.objects.new("large", bpy.data.meshes.new("large"))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.parent = thing
    for each in (thing, camera):
        sequence.collection.objects.link(each)
    sequence.camera, sequence.world = camera, bpy.data.worlds.new("world")
    sequence.background_set = bpy.data.scenes.new("set")
    sequence.timeline_markers.new("cut", frame=3).camera = camera
    sequence.view_layers[0].material_override = bpy.data.materials.new("clay")
    sequence["mine"] = thing
    sequence.recam.camera = sequence.recam.subject = camera
    compose(bpy, sequence)
    renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path)
    with bpy.data.libraries.load(str(tmp_path / "rendering" / "strip.blend")) as (file, _):
        kinds = ("objects", "meshes", "cameras", "worlds", "materials", "images", "collections")
        assert {kind: getattr(file, kind) for kind in kinds if getattr(file, kind)} == {}
        assert len(file.scenes) == 1
    renderer.cancel()
    assert sequence.camera == sequence.recam.subject == camera and sequence["mine"] == thing
    assert sequence.timeline_markers[0].camera == camera and sequence.world.name == "world"


def compose(bpy, scene):
    """Let the compositor use an image."""
    if hasattr(scene, "compositing_node_group"):  # Blender 5.0
        tree = scene.compositing_node_group = bpy.data.node_groups.new("C", "CompositorNodeTree")
    else:
        scene.use_nodes = True
        tree = scene.node_tree
    tree.nodes.new("CompositorNodeImage").image = bpy.data.images.new("image", 8, 8)
