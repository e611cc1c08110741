"""What stands in the scene for one clip: cameras, screen, subject, in a collection of its own.

The collection knows its strip, the objects their part, by custom properties: so all may be
renamed, moved and deleted, and nothing outlives its deletion.
"""

from __future__ import annotations

import bpy

from .. import versions
from ..clip.strips import source_of
from ..scene.blocks import stands_in
from .frustum import window_of
from .projecting import aim, nodes_with
from .screen import FOLLOWS, fill, new_holder, new_screen, place

STRIP, FILE, RECT = "recam_strip", "recam_file", "recam_rect"  # of the collection
PART = "recam_part"  # of an object in it
SOURCE, HOLDER, SCREEN, CAMERA, SUBJECT = "source", "depth", "screen", "camera", "subject"


def rig_of(strip: bpy.types.Strip, scene, stage) -> bpy.types.Collection | None:
    """The strip's rig in the scene ``stage``; scene: in whose sequencer the strip lies."""
    found = [rig for rig in _rigs(stage) if is_for(rig, strip, scene)]
    found.sort(key=lambda rig: rig[STRIP] != strip.name)
    return found[0] if found else None


def is_for(rig: bpy.types.Collection, strip: bpy.types.Strip, scene) -> bool:
    """Whether a rig is the strip's: it has its name and file, or, once the strip was renamed, its
    file and a name that no strip has."""
    names = versions.all_strips(scene.sequence_editor)
    named = rig[STRIP] == strip.name or rig[STRIP] not in names
    return named and rig[FILE] == source_of(strip).name


def current_rig(settings) -> bpy.types.Collection | None:
    """The rig that ``scene.recam`` is about, None once it was deleted."""
    rig = settings.rig
    return rig if rig is not None and any(rig in _rigs(s) for s in bpy.data.scenes) else None


def part(rig: bpy.types.Collection, name: str) -> bpy.types.Object | None:
    """An object of the rig by its part."""
    return next((thing for thing in rig.objects if thing.get(PART) == name), None)


def alive(thing: bpy.types.Object | None) -> bpy.types.Object | None:
    """The object, or None once it is in no scene: deleted, but still pointed at."""
    there = thing is not None and any(stands_in(thing, scene) for scene in bpy.data.scenes)
    return thing if there else None


def geometry_of(settings) -> bpy.types.Collection | None:
    """The geometry that stands in for the plane, if any of it is in a scene."""
    geometry = settings.geometry
    there = geometry is not None and any(alive(thing) for thing in geometry.all_objects)
    return geometry if there else None


def all_of(thing: bpy.types.Object) -> list[bpy.types.Collection]:
    """The rigs that an object belongs to."""
    return [each for each in thing.users_collection if STRIP in each]


def new_rig(strip: bpy.types.Strip, stage) -> bpy.types.Collection:
    """An empty rig for a strip."""
    rig = bpy.data.collections.new(f"Recam {strip.name}")
    stage.collection.children.link(rig)
    return rig


def name_strip(rig: bpy.types.Collection, strip: bpy.types.Strip) -> None:
    """Write down whose rig it is."""
    rig[STRIP], rig[FILE] = strip.name, source_of(strip).name


def add(rig: bpy.types.Collection, name: str, thing: bpy.types.Object) -> bpy.types.Object:
    """Put an object into the rig as a part of it."""
    thing[PART] = name
    rig.objects.link(thing)
    return thing


def source_camera_of(rig: bpy.types.Collection) -> bpy.types.Object | None:
    """The source camera, the rig's own or the artist's: the one that carries the screen."""
    holder = part(rig, HOLDER)
    return alive(holder.parent) if holder else part(rig, SOURCE)


def aim_of(rig: bpy.types.Collection) -> tuple[bpy.types.Object | None, float | None]:
    """The subject and its distance as the screen follows them; the latter None for a new rig."""
    holder = part(rig, HOLDER)
    if holder is None or holder.parent is None:
        return None, None
    subject = alive(holder.constraints[FOLLOWS].target)
    return subject, -holder.location.z * holder.parent.matrix_world.median_scale


def add_screen(rig: bpy.types.Collection) -> None:
    """The rig's screen and what carries it, as far as they are missing."""
    called = rig[STRIP]
    holder = part(rig, HOLDER) or add(rig, HOLDER, new_holder(f"{called} Depth"))
    if part(rig, SCREEN) is None:
        add(rig, SCREEN, new_screen(f"{called} Screen", holder))


def show_screen(scene: bpy.types.Scene) -> None:
    """Show the current rig's screen in viewports, or the geometry that stands in for it alone."""
    rig = current_rig(scene.recam)
    screen = part(rig, SCREEN) if rig is not None else None
    if screen is not None:
        screen.hide_viewport = geometry_of(scene.recam) is not None


def follow(scene: bpy.types.Scene) -> None:
    """Let the current rig's screen stand where ``scene.recam`` wants it, hidden or not."""
    settings = scene.recam
    rig = current_rig(settings)
    source = alive(settings.source_camera)
    if rig is None or source is None or source.type != "CAMERA":
        return
    holder, screen = part(rig, HOLDER), part(rig, SCREEN)
    if holder is None or screen is None:
        return
    scale = source.matrix_world.median_scale  # of a solved scene, say
    place(holder, source, alive(settings.subject), settings.subject_distance / scale)
    screen.parent = holder
    render = scene.render
    window = window_of(
        (render.resolution_x, render.resolution_y),
        (render.pixel_aspect_x, render.pixel_aspect_y),
        source.data.sensor_fit,
        tuple(rig[RECT]),
    )
    fill(screen, source, window)
    for material in list(screen.data.materials)[1:]:  # the projection's
        for tree in (versions.node_tree(material), nodes_with(material)):
            if tree is not None:
                aim(tree, source, window)


def _rigs(stage) -> list[bpy.types.Collection]:
    return [each for each in stage.collection.children_recursive if STRIP in each]
