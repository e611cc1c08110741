"""The artist's own meshes instead of the plane: taken in with the clip on them, and let go."""

from __future__ import annotations

from typing import ClassVar

import bpy

from .. import versions
from ..translations import words
from . import rig as rigs
from .movie_texture import like
from .projecting import levels, nodes_with, projection_material, projection_nodes

MODIFIER = "Recam Projection"
OWN = "recam_geometry"  # of a rig's own collection of them


class RECAM_OT_use_as_geometry(bpy.types.Operator):
    """Let the selected meshes stand for what the clip shows, instead of the plane: the clip is projected onto them, and their depth goes with it; the meshes stay as they are but for a modifier"""  # noqa: E501

    bl_idname = "recam.use_as_geometry"
    bl_label = "Use Selected as Geometry"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        scene = versions.sequencer_scene(context)
        rig = rigs.current_rig(scene.recam) if scene else None
        if rig is None or rigs.part(rig, rigs.SCREEN) is None:
            cls.poll_message_set(words("Set up a camera first"))
            return False
        if not _meshes(context):
            cls.poll_message_set(words("Select meshes in the 3D view"))
            return False
        return True

    def execute(self, context) -> set[str]:
        scene = versions.sequencer_scene(context)
        settings, rig = scene.recam, rigs.current_rig(scene.recam)
        geometry = next((each for each in rig.children if OWN in each), None)
        if geometry is None:
            geometry = bpy.data.collections.new(f"Recam {rig[rigs.STRIP]} Geometry")
            geometry[OWN] = True
            rig.children.link(geometry)
        chosen = settings.geometry.objects if settings.geometry else ()
        nodes = _nodes(rig)
        for thing in {*_meshes(context), *chosen}:
            if thing.name not in geometry.objects:
                geometry.objects.link(thing)
            if thing.type == "MESH" and thing.library is None:
                _project_onto(thing, nodes)
        settings.geometry = geometry  # and everything follows
        return {"FINISHED"}


class RECAM_OT_release_geometry(bpy.types.Operator):
    """Let the selected meshes be as they were before they stood for what the clip shows; without a selection, all of them"""  # noqa: E501

    bl_idname = "recam.release_geometry"
    bl_label = "Release Geometry"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        scene = versions.sequencer_scene(context)
        if scene is None or scene.recam.geometry is None:
            cls.poll_message_set(words("No mesh is used as geometry"))
            return False
        return True

    def execute(self, context) -> set[str]:
        settings = versions.sequencer_scene(context).recam
        geometry = settings.geometry
        inside = set(geometry.all_objects)
        own = OWN in geometry  # else the artist's own collection, which stays whole
        for thing in (own and inside & set(_meshes(context))) or inside:
            if MODIFIER in thing.modifiers:
                thing.modifiers.remove(thing.modifiers[MODIFIER])
            if own:
                geometry.objects.unlink(thing)
            if not thing.users_collection:  # it was only in here
                context.scene.collection.objects.link(thing)
        if not own or not geometry.objects:
            settings.geometry = None
        if own and not geometry.objects:
            bpy.data.collections.remove(geometry)
        return {"FINISHED"}


def _meshes(context) -> list[bpy.types.Object]:
    """The selected meshes that are no part of a rig."""
    chosen = context.selected_objects
    return [thing for thing in chosen if thing.type == "MESH" and rigs.PART not in thing]


def _nodes(rig) -> bpy.types.NodeTree:
    """The modifier's nodes for a rig, made and aimed if there are none yet."""
    called, slots = rig[rigs.STRIP], rigs.part(rig, rigs.SCREEN).data.materials
    if len(slots) < 2:
        slots.append(projection_material(f"{called} Projection"))
        like(slots[0], slots[1])
    return nodes_with(slots[1]) or projection_nodes(f"{called} Projection", slots[1])


def _project_onto(thing: bpy.types.Object, nodes: bpy.types.NodeTree) -> None:
    """Let a mesh show the clip in viewports; in renders it stays what it is."""
    modifier = thing.modifiers.get(MODIFIER) or thing.modifiers.new(MODIFIER, "NODES")
    modifier.node_group = nodes
    modifier.show_render = False
    active = thing.data.uv_layers.active
    values = {
        "Level": levels(len(thing.data.polygons)),
        "UV Map": active.name if active else "UVMap",
    }
    for item in nodes.interface.items_tree:
        if item.name in values:
            versions.set_modifier_input(modifier, item.identifier, values[item.name])


CLASSES = (RECAM_OT_use_as_geometry, RECAM_OT_release_geometry)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
