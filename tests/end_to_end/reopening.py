"""What tests need that close files and open them again."""

from __future__ import annotations

from tests.blender_fixtures import strips_of


def close(bpy):
    """As an artist does who goes on with another file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def names(bpy):
    """Of the strips, in their order."""
    return [strip.name for strip in strips_of(bpy.context.scene)]


def records(addon):
    """Files of the jobs that would be taken up again."""
    return list(addon.jobs.belonging.folder().glob("*.json"))


def lay_again(bpy, addon, clip):
    """A camera and the clip in a new file that is not saved."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.fps = 160, 96, 24
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    editor = scene.sequence_editor_create()
    addon.versions.show_in_sequencer(bpy.context, scene)
    editor.active_strip = strips_of(scene).new_movie("city", str(clip), 2, 11)
