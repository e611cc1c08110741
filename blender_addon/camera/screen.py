"""The clip on a plane that faces the source camera, as far away as the subject."""

from __future__ import annotations

import bpy

from ..scene.drivers import drive
from .frustum import Window
from .movie_texture import new_material

FOLLOWS = "Recam Subject"  # the constraint


def new_holder(name: str) -> bpy.types.Object:
    """An empty that a source camera carries at the subject's depth."""
    holder = bpy.data.objects.new(name, None)
    holder.empty_display_size = 0.1
    holder.hide_viewport = holder.hide_render = holder.hide_select = True
    follows = holder.constraints.new("COPY_LOCATION")
    follows.name = FOLLOWS
    follows.use_x = follows.use_y = False  # of its place only the depth
    follows.owner_space = follows.target_space = "CUSTOM"
    return holder


def new_screen(name: str, holder: bpy.types.Object) -> bpy.types.Object:
    """A plane in the holder's place, with a material for the clip; not rendered, not clicked."""
    mesh = bpy.data.meshes.new(name)
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    mesh.from_pydata([(x, y, 0) for x, y in corners], [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", [value + 0.5 for corner in corners for value in corner])
    mesh.materials.append(new_material(name))
    screen = bpy.data.objects.new(name, mesh)
    screen.parent = holder
    screen.hide_render = screen.hide_select = True
    return screen


def place(
    holder: bpy.types.Object,
    source: bpy.types.Object,
    subject: bpy.types.Object | None,
    distance: float,
) -> None:
    """Put the holder in front of the source camera: at the subject's depth, else at a distance."""
    holder.parent = source
    holder.matrix_parent_inverse.identity()
    holder.location = (0, 0, -distance)
    follows = holder.constraints[FOLLOWS]
    follows.space_object = source
    follows.target = subject
    follows.enabled = subject is not None


def fill(screen: bpy.types.Object, source: bpy.types.Object, window: Window) -> None:
    """Let the plane fill the window of the source camera's view, whatever distance and lens."""
    values = {
        "z": (screen.parent, "LOC_Z"),
        "l": (source.data, "lens"),
        "s": (source.data, window.sensor),
        "x": (source.data, "shift_x"),
        "y": (source.data, "shift_y"),
    }
    for path, index, factor in (
        ("scale", 0, f"{window.width:.12f}"),
        ("scale", 1, f"{window.height:.12f}"),
        ("location", 0, f"({window.x:.12f} + x)"),
        ("location", 1, f"({window.y:.12f} + y)"),
    ):
        needed = {
            name: values[name] for name in "zls" + ("xy"[index] if path == "location" else "")
        }
        drive(screen, path, index, f"max(-z, 0.001) * s / l * {factor}", needed)
