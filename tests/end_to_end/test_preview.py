"""The live projection in the viewport and the projection engine's take are the same picture."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from tests.end_to_end.spots import SIZE, centroid, spot


@pytest.fixture
def stage(bpy, sequence):
    render = sequence.render
    render.resolution_x, render.resolution_y = SIZE
    sequence.recam.engine = "projection"
    return sequence


@pytest.fixture
def viewport(stage, pictures, tmp_path):
    """What a 3D view shows through a camera, in texture shading unless another engine is named:
    (h, w, 3), top row first."""

    def run(camera, frame, engine="BLENDER_WORKBENCH"):
        bpy, render = importlib.import_module("bpy"), stage.render
        stage.camera = camera
        stage.frame_set(frame)
        unrendered = [(thing, "hide_render", thing.hide_render) for thing in stage.objects]
        for thing in stage.objects:
            thing.hide_render = thing.hide_viewport
            for modifier in thing.modifiers:
                unrendered.append((modifier, "show_render", modifier.show_render))
                modifier.show_render = True
        render.engine, render.use_sequencer = engine, False
        stage.cycles.samples, stage.cycles.use_denoising = 4, False
        shading = stage.display.shading
        shading.color_type, shading.light = "TEXTURE", "FLAT"
        stage.display.render_aa = "OFF"
        if hasattr(render.image_settings, "media_type"):
            render.image_settings.media_type = "IMAGE"
        render.image_settings.file_format = "PNG"
        render.filepath = str(tmp_path / "viewport.png")
        bpy.ops.render.render(write_still=True, scene=stage.name)
        for owner, name, value in unrendered:
            setattr(owner, name, value)
        render.use_sequencer = True
        return pictures.read(tmp_path / "viewport.png")

    return run


def test_the_preview_on_the_plane_is_the_take(
    bpy, stage, lay, saved, reshoot, take_of, pictures, viewport
):
    """A camera that has moved aside, turned and zoomed, over a subject seven metres away."""
    strip = lay(pictures.write("spot", spot(130, 100)))
    bpy.ops.recam.set_up_camera()
    settings = stage.recam
    settings.subject.location.y = 7
    camera = settings.camera
    for frame, x, turn, lens in ((11, 0.0, 0.0, 35), (15, 1.5, 0.15, 45)):
        camera.location.x, camera.rotation_euler.z, camera.data.lens = x, turn, lens
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
        camera.data.keyframe_insert("lens", frame=frame)
    live = viewport(camera, 15)
    take_of(reshoot(), stage)
    shown = pictures.shown(stage, [15])[0]
    assert np.hypot(*np.subtract(centroid(shown), centroid(live))) < 0.7
    assert abs(centroid(shown)[0] - 130) > 10 and strip.mute


def test_the_preview_on_the_ground_is_the_take(
    bpy, stage, lay, saved, reshoot, take_of, pictures, viewport
):
    strip = lay(pictures.write("spot", spot(170, 150)))
    bpy.ops.recam.set_up_camera()
    camera = stage.recam.camera
    bpy.ops.mesh.primitive_plane_add(size=30)
    ground = bpy.context.object
    bpy.ops.recam.use_as_geometry()
    for frame, x in ((11, 0.0), (15, 0.6)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    live, exact = viewport(camera, 15), viewport(camera, 15, "CYCLES")
    take_of(reshoot(), stage)
    shown = pictures.shown(stage, [15])[0]
    assert np.hypot(*np.subtract(centroid(shown), centroid(live))) < 1.0
    assert np.hypot(*np.subtract(centroid(shown), centroid(exact))) < 0.7
    assert abs(centroid(shown)[0] - 170) > 10 and strip.mute and ground.modifiers
