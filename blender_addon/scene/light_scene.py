"""A scene with nothing in it but what is to be looked at, made and gone in a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from .temporary_scene import MARK, remove_strays


@contextmanager
def light_scene(
    scene: bpy.types.Scene, camera: bpy.types.Object | None, *others: bpy.types.Object | None
) -> Iterator[bpy.types.Scene]:
    """A scene that evaluates a camera, others, and whatever these depend on, nothing else.

    Time and units are those of ``scene``. camera: None for the scene's own, which markers may
    switch. Unlike a copy of the scene it costs as much in a heavy scene as in an empty one: no
    strip is opened, no mesh evaluated. It has no physics.
    """
    remove_strays()
    made = bpy.data.scenes.new("Recam")
    made[MARK] = True
    try:
        made.unit_settings.scale_length = scene.unit_settings.scale_length
        for name in ("fps", "fps_base", "frame_map_old", "frame_map_new"):
            setattr(made.render, name, getattr(scene.render, name))
        made.camera = camera or scene.camera
        things = {made.camera, *others}
        if camera is None:
            for mark in scene.timeline_markers:
                if mark.camera is not None:
                    made.timeline_markers.new(mark.name, frame=mark.frame).camera = mark.camera
                    things.add(mark.camera)
        for thing in things - {None}:
            made.collection.objects.link(thing)
        yield made
    finally:
        remove_strays()
