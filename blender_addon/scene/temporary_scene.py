"""A copy of a scene to work on, gone afterwards whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

MARK = "recam_temporary"


@contextmanager
def temporary_scene(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """A copy of ``scene`` that shares its objects and holds its own strips, frame and settings.

    Meant for one slice of work: nothing should outlive the ``with``, so that an undo or a save
    in between never meets it. Copies that a crash or an undo left behind are removed first.
    """
    remove_strays()
    copy = scene.copy()
    copy[MARK] = True
    try:
        yield copy
    finally:
        remove_strays()


def rendering() -> bool:
    """Whether Blender renders in a window, beside which no scene may come and go."""
    return bpy.app.is_job_running("RENDER")


def remove_strays() -> None:
    """Remove every temporary scene there is."""
    for scene in list(bpy.data.scenes):
        if MARK in scene:
            bpy.data.scenes.remove(scene)
