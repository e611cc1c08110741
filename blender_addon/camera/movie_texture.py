"""A clip as a movie texture that keeps step with the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import versions
from ..takes.place import stored_path

CLIP = "Recam Clip"  # the texture's node


@dataclass(frozen=True)
class Footage:
    """A movie file and when it is shown: its frame ``first`` at the scene's frame ``start``."""

    path: Path
    first: int
    start: int
    frames: int


def new_material(name: str) -> bpy.types.Material:
    """A material that shines in the clip's colours, whatever the light; without footage yet."""
    material = bpy.data.materials.new(name)
    tree = versions.node_tree(material)
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    light = tree.nodes.new("ShaderNodeEmission")
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.name = texture.label = CLIP
    texture.extension = "CLIP"
    texture.location, light.location, output.location = (-300, 0), (0, 0), (200, 0)
    tree.links.new(texture.outputs["Color"], light.inputs["Color"])
    tree.links.new(light.outputs["Emission"], output.inputs["Surface"])
    tree.nodes.active = texture  # which is what the viewport's texture shading shows
    return material


def show(material: bpy.types.Material, footage: Footage) -> None:
    """Let the material show the footage. Raises RuntimeError if Blender cannot read the file."""
    texture = texture_of(material)
    texture.image = bpy.data.images.load(str(footage.path), check_existing=True)
    texture.image.filepath = stored_path(footage.path)
    user = texture.image_user
    user.frame_start = footage.start
    user.frame_offset = footage.first
    user.frame_duration = footage.frames
    user.use_auto_refresh = True
    user.use_cyclic = False


def like(shown: bpy.types.Material, other: bpy.types.Material) -> None:
    """Let another material show the same."""
    texture, copy = texture_of(shown), texture_of(other)
    copy.image = texture.image
    for name in ("frame_start", "frame_offset", "frame_duration", "use_auto_refresh", "use_cyclic"):
        setattr(copy.image_user, name, getattr(texture.image_user, name))


def texture_of(material: bpy.types.Material | None):
    """The node that holds the clip; None once the artist took it away."""
    return versions.node_tree(material).nodes.get(CLIP) if material is not None else None
