"""Plates of every kind of strip that shows a clip, against what the sequencer shows."""

from __future__ import annotations

import pytest

from tests.blender_fixtures import part, shown_frames, strips_of


@pytest.fixture
def strips(sequence):
    return strips_of(sequence)


@pytest.fixture
def same(addon, sequence, rendered, pictures, measure):
    """Renders a strip, which alone is shown: the plate is what the sequencer shows."""

    def run(strip):
        assert not addon.clip.plate.untouched(strip, sequence)
        frames = shown_frames(strip)
        shown = pictures.shown(sequence, frames)
        plate, made = rendered(strip)
        seen = part(shown, plate.rect)
        assert seen.max() > 0.5 and len(made) == plate.frames == len(frames)
        for one, other in zip(made, seen, strict=True):
            assert measure.psnr(one, other) > 28
        assert measure.psnr(made[:1], seen[-1:]) < 25 or len(frames) == 1  # they do move
        return plate

    return run


@pytest.fixture
def images(strips, pictures, measure):
    """An image strip of 12 vertical pictures from frame 11 on."""
    movie = pictures.write("row", measure.numbered(12, 64, 96))
    files = sorted(movie.parent.glob("row_*.png"))
    strip = strips.new_image("row", str(files[0]), 1, 11)
    for file in files[1:]:
        strip.elements.append(file.name)
    return strip


def test_an_image_sequence(addon, images, same):
    addon.versions.set_first_frame(images, 13)
    plate = same(images)
    assert plate.rect == addon.clip.layout.Rect(48, 0, 64, 96)


def test_a_meta_strip_is_rendered_whole(addon, sequence, strips, clip, images, same, new_effect):
    movie = strips.new_movie("movie", str(clip), 2, 11)
    movie.transform.scale_x = movie.transform.scale_y = 0.4
    meta = strips.new_meta("Scene 1", 5, 11)
    for strip in (images, movie):
        strip.move_to_meta(meta)
        addon.versions.set_end_frame(strip, addon.versions.end_frame(strip))  # the meta follows
    addon.versions.set_end_frame(meta, 20)
    meta.transform.offset_x = 10
    plate = same(meta)
    assert (plate.width, plate.height) == (160, 96)


def test_a_movie_clip_strip(bpy, addon, strips, clip, same):
    strip = strips.new_clip("clip", bpy.data.movieclips.load(str(clip)), 1, 11)
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    plate = same(strip)
    whole = bpy.app.version < (4, 4)  # which does not tell the clip
    assert (plate.width, plate.height) == ((160, 96) if whole else (80, 48))


def scene_of_strips(bpy, clip):
    """A scene whose sequencer shows the clip."""
    other = bpy.data.scenes.new("inner")
    other.sequence_editor_create()
    strips_of(other).new_movie("movie", str(clip), 1, 1)
    other.frame_start, other.frame_end = 1, 12
    return other


def test_a_scene_strip_of_strips(bpy, strips, clip, same):
    strip = strips.new_scene("edit", scene_of_strips(bpy, clip), 1, 11)
    strip.scene_input = "SEQUENCER"
    strip.transform.offset_x = 20
    assert same(strip).width == 160


def test_a_scene_strip_of_a_camera(bpy, addon, sequence, strips, same):
    other = bpy.data.scenes.new("3D")
    other.render.engine, other.cycles.samples = "CYCLES", 1
    other.render.resolution_x, other.render.resolution_y = 160, 96
    other.render.resolution_percentage = 50
    other.view_settings.view_transform = "Standard"
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z = 5
    other.collection.objects.link(camera)
    mesh = bpy.data.meshes.new("square")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    square = bpy.data.objects.new("square", mesh)
    glow = bpy.data.materials.new("glow")
    nodes = addon.versions.node_tree(glow).nodes
    nodes.clear()
    light, out = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    addon.versions.node_tree(glow).links.new(light.outputs[0], out.inputs[0])
    mesh.materials.append(glow)
    other.collection.objects.link(square)
    for frame, x in ((1, -2), (4, 1)):
        square.location.x = x
        square.keyframe_insert("location", frame=frame)
    other.frame_start, other.frame_end = 1, 4
    strip = strips.new_scene("3D", other, 1, 11)
    with pytest.raises(addon.shared.errors.RecamError, match="has no camera"):
        addon.clip.plate.check(strip, sequence)
    other.camera = camera
    assert same(strip).rect == addon.clip.layout.Rect(40, 24, 80, 48)


@pytest.fixture
def inside(addon, sequence, strips, clip):
    """A strip two metas deep, which move it, hide most of it and are retimed by nothing."""
    strip = strips.new_movie("deep", str(clip), 1, 11)
    strip.use_flip_x = True
    inner, outer = strips.new_meta("inner", 5, 11), strips.new_meta("outer", 6, 11)
    strip.move_to_meta(inner)
    inner.move_to_meta(outer)
    inner.transform.offset_x, outer.color_multiply = 33, 0.2
    addon.versions.set_end_frame(outer, 18)
    return strip


def test_a_strip_inside_metas_is_rendered_as_it_is_seen_inside_them(
    addon, sequence, inside, rendered, measure, pictures, strips
):
    inner = inside.parent_meta()
    editor = sequence.sequence_editor
    editor.display_stack(inner.parent_meta())
    editor.display_stack(inner)
    editor.active_strip = inside
    assert addon.clip.strips.active_strip(sequence) == inside
    shown = pictures.shown(sequence, range(11, 35))
    plate, frames = rendered(inside)
    assert plate.frames == 24 and measure.psnr(frames, shown) > 30
    assert measure.numbers(frames[:, :, ::-1]) == list(range(24))


def test_an_untouched_strip_inside_a_meta_is_sent_as_its_file(addon, sequence, inside, clip):
    inside.use_flip_x = False
    assert addon.clip.plate.untouched(inside, sequence)
    plate = addon.clip.plate.original_plate(inside, sequence)
    assert (plate.parts, plate.first, plate.frames) == ([clip], 0, 24)
    assert addon.clip.strips.find_strip(plate.strip) == inside


@pytest.mark.parametrize("frames", [1, 2])
def test_a_strip_of_one_or_two_frames(addon, strips, clip, rendered, measure, frames):
    strip = strips.new_movie("short", str(clip), 1, 11)
    addon.versions.set_first_frame(strip, 20)
    addon.versions.set_end_frame(strip, 20 + frames)
    strip.use_flip_y = True
    plate, made = rendered(strip)
    assert plate.frames == frames and measure.numbers(made[:, ::-1]) == [9, 10][:frames]


def test_a_strip_before_frame_0_is_rendered(addon, strips, clip, rendered, measure, new_effect):
    strip = strips.new_movie("early", str(clip), 1, -7)
    strip.use_flip_x = True
    effect = new_effect("GAUSSIAN_BLUR", "blur", strip)
    effect.size_x = effect.size_y = 1
    plate, frames = rendered(strip)
    assert plate.strip.first == -7
    assert measure.numbers(frames[:, :, ::-1]) == list(range(24))
    assert addon.versions.first_frame(strip) == -7


def test_a_keyed_strip_before_frame_0_is_refused(addon, sequence, strips, clip):
    strip = strips.new_movie("early", str(clip), 1, -7)
    strip.keyframe_insert("blend_alpha", frame=3)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(strip, sequence)
    assert error.value.code == "strip_early"


def without_an_image(strip, images, folder):
    strip.elements[5].filename = "gone.png"
    return "strip_file", "gone.png"


def without_its_folder(strip, images, folder):
    strip.directory = str(folder / "not here")
    return "strip_file", "(and 11 more)"


@pytest.mark.parametrize("wrong", [without_an_image, without_its_folder])
def test_missing_pictures_are_said(addon, sequence, images, tmp_path, wrong):
    code, words = wrong(images, images, tmp_path)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(images, sequence)
    assert error.value.code == code and words in str(error.value)


def test_a_missing_picture_that_is_trimmed_away_does_not_matter(addon, sequence, images):
    images.elements[0].filename = "gone.png"
    addon.versions.set_first_frame(images, 12)
    addon.clip.plate.check(images, sequence)


def test_what_is_missing_in_a_meta_is_said(addon, sequence, inside):
    inside.filepath = "//gone.mp4"
    with pytest.raises(addon.shared.errors.RecamError, match="“deep” is missing"):
        addon.clip.plate.check(inside.parent_meta().parent_meta(), sequence)


def test_an_empty_meta_is_refused(addon, sequence, strips):
    with pytest.raises(addon.shared.errors.RecamError, match="“M”"):
        addon.clip.plate.check(strips.new_meta("M", 1, 11), sequence)


def test_text_and_sound_are_refused_in_words(bpy, addon, sequence, strips, new_effect, tmp_path):
    wrong = {"text": new_effect("TEXT", "title")}
    if bpy.app.build_options.audaspace:  # not in the module of Blender 4.2
        (tmp_path / "sound.wav").write_bytes(WAV)
        wrong["sound"] = strips.new_sound("sound", str(tmp_path / "sound.wav"), 4, 1)
    for word, strip in wrong.items():
        with pytest.raises(addon.shared.errors.RecamError, match=f"is a {word} strip") as error:
            addon.clip.plate.check(strip, sequence)
        assert error.value.code == "strip_kind"


WAV = (
    b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x08\0\0\0"
    + bytes(8)
)
