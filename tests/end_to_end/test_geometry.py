"""The artist's geometry: what Blender projects is what the projection engine's take shows."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

SIZE = (320, 192)
FRAMES = 5


def spot(u, v):
    """A clip with one bright spot in grey, at ``u, v`` in pixels from the top left corner."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    bump = 0.2 + 0.7 * np.exp(-(((x + 0.5 - u) ** 2 + (y + 0.5 - v) ** 2) / 2 / 3.0**2))
    return np.repeat(bump[None, ..., None], 3, axis=-1).repeat(FRAMES, axis=0).astype(np.float32)


def centroid(picture):
    """Where the spot is in a picture ``(h, w, 3)``: x, y in pixels from the top left corner."""
    bright = np.where(picture[..., 1] > 0.4, picture[..., 1] - 0.4, 0)
    y, x = np.mgrid[0 : bright.shape[0], 0 : bright.shape[1]] + 0.5
    return (bright * x).sum() / bright.sum(), (bright * y).sum() / bright.sum()


def pixel(scene, camera, point):
    """Where Blender's own projection puts a point: x, y from the top left corner, and depth."""
    from bpy_extras.object_utils import world_to_camera_view

    x, y, depth = world_to_camera_view(scene, camera, point)
    return x * SIZE[0], (1 - y) * SIZE[1], depth


@pytest.fixture
def stage(bpy, sequence):
    render = sequence.render
    render.resolution_x, render.resolution_y = SIZE
    sequence.recam.engine = "projection"
    return sequence


@pytest.fixture
def slab(bpy, stage):
    """Adds a mesh of one quad, and puts it into the geometry."""

    def run(name, corners):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
        thing = bpy.data.objects.new(name, mesh)
        stage.collection.objects.link(thing)
        geometry = stage.recam.geometry or bpy.data.collections.new("Geometry")
        if geometry.name not in stage.collection.children:
            stage.collection.children.link(geometry)
        geometry.objects.link(thing)
        stage.recam.geometry = geometry
        return thing

    return run


def test_a_point_on_the_ground_is_where_blender_projects_it(
    bpy, stage, lay, saved, slab, reshoot, take_of, pictures
):
    """A ground that passes under the camera, looked down on; the camera moves a metre."""
    from mathutils import Vector

    lay(pictures.write("blank", spot(0, 0)))
    bpy.ops.recam.set_up_camera()
    settings = stage.recam
    source, camera = settings.source_camera, settings.camera
    source.rotation_euler = camera.rotation_euler = (1.3, 0, 0.1)
    slab("ground", [(-50, -50, 0), (50, -50, 0), (50, 50, 0), (-50, 50, 0)])
    point = Vector((0.4, 5.0, 0.0))
    bpy.context.view_layer.update()
    u, v, _ = pixel(stage, source, point)
    strip = lay(pictures.write("spot", spot(u, v)), name="spot", start=11)
    for frame, x in ((11, 0.0), (15, 1.0)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    take = take_of(reshoot(), stage)
    assert "given depth" in json.loads(take["recam"])["report"]["geometry"]
    for frame in (11, 13, 15):
        stage.frame_set(frame)
        x, y, _ = pixel(stage, camera, point)
        shown = pictures.shown(stage, [frame])[0]
        assert np.hypot(*np.subtract(centroid(shown), (x, y))) < 0.7, frame
    assert strip.mute


def test_meshes_are_taken_in_and_let_go_as_they_were(bpy, stage, clip, lay):
    lay(clip)
    bpy.ops.recam.set_up_camera()
    bpy.ops.mesh.primitive_plane_add(size=20)
    ground = bpy.context.object
    ground.data.materials.append(bpy.data.materials.new("grass"))
    users = set(ground.users_collection)
    assert bpy.ops.recam.use_as_geometry() == {"FINISHED"}
    geometry = stage.recam.geometry
    assert list(geometry.objects) == [ground]
    bpy.context.view_layer.update()
    shown = ground.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    worn = {shown.materials[face.material_index].name for face in shown.polygons}
    assert worn == {"shot Projection"} and len(shown.polygons) > 1000
    assert bpy.ops.recam.release_geometry() == {"FINISHED"}
    assert stage.recam.geometry is None and not ground.modifiers
    assert set(ground.users_collection) == users
    assert [m.name for m in ground.data.materials] == ["grass"]


@pytest.fixture
def viewport(stage, pictures, tmp_path):
    """What a 3D view in texture shading shows through a camera: (h, w, 3), top row first."""

    def run(camera, frame):
        bpy, render = importlib.import_module("bpy"), stage.render
        stage.camera = camera
        stage.frame_set(frame)
        unrendered = [(thing, "hide_render", thing.hide_render) for thing in stage.objects]
        for thing in stage.objects:
            thing.hide_render = thing.hide_viewport
            for modifier in thing.modifiers:
                unrendered.append((modifier, "show_render", modifier.show_render))
                modifier.show_render = True
        render.engine, render.use_sequencer = "BLENDER_WORKBENCH", False
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
    live = viewport(camera, 15)
    take_of(reshoot(), stage)
    shown = pictures.shown(stage, [15])[0]
    assert np.hypot(*np.subtract(centroid(shown), centroid(live))) < 1.0
    assert abs(centroid(shown)[0] - 170) > 10 and strip.mute and ground.modifiers
