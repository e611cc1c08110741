"""How a plate is rendered: the strip alone, nothing of the artist's touched, errors said."""

from __future__ import annotations

import time

import pytest

from tests.blender_fixtures import all_strips_of, part, strips_of, trim


@pytest.fixture
def strip(sequence, clip):
    """The numbered clip from frame 11 on, untouched."""
    return strips_of(sequence).new_movie("Städte, 1. Take", str(clip), 1, 11)


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


def test_a_driven_strip_is_rendered_and_one_driven_by_python_is_refused(
    addon, sequence, strip, rendered, pictures, measure
):
    driver = strip.driver_add("blend_alpha").driver
    driver.expression = "(frame - 11) / 23"
    _plate, frames = rendered(strip)
    assert measure.psnr(frames, pictures.shown(sequence, range(11, 35))) > 30
    assert frames[0].max() < 0.1 < frames[-1].max()
    driver.expression = "str(frame) != '11'"
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(strip, sequence)
    assert error.value.code == "strip_script" and "str(frame)" in str(error.value)


def test_an_effect_on_the_strip_is_rendered_too(
    addon, sequence, strip, rendered, pictures, measure, new_effect
):
    blur = new_effect("GAUSSIAN_BLUR", "blur", strip)
    blur.size_x = blur.size_y = 8
    assert not addon.clip.plate.untouched(strip, sequence)
    _plate, frames = rendered(strip)
    assert measure.psnr(frames, pictures.shown(sequence, range(11, 35))) > 30


def test_a_strip_that_masks_this_one_goes_on_to_mask_it(
    addon, sequence, strip, clip, rendered, pictures, measure
):
    mask = strips_of(sequence).new_movie("mask", str(clip), 2, 11)
    mask.transform.scale_x = mask.transform.scale_y = 0.5
    mask.mute = True
    modifier = strip.modifiers.new("cut out", "MASK")
    modifier.input_mask_type, modifier.input_mask_strip = "STRIP", mask
    shown = pictures.shown(sequence, range(11, 35))
    assert shown[:, :20].max() < 0.1 < shown[:, 40:50].max()
    mask.mute = False
    plate, frames = rendered(strip)
    assert (plate.width, plate.height) == (160, 96)
    assert measure.psnr(frames, shown) > 30


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
