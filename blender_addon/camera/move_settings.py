"""What the artist sets about a move, kept in the scene; made from the table of moves."""

from __future__ import annotations

from math import degrees, radians

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty

from ..shared.cameras.moves import MOVES, Parameter
from ..translations import CONTEXT

MOVE_ITEMS = [(move.name, move.title, move.about) for move in MOVES.values()]
PERCENT = 100.0


def _property(each: Parameter):
    """Blender's property for a parameter."""
    words = {"name": each.title, "description": each.about, "translation_context": CONTEXT}
    if each.kind == "whole":
        bounds = {"default": int(each.default), "min": int(each.least), "max": int(each.most)}
        return IntProperty(**words, **bounds)
    scale, more = {
        "share": (PERCENT, {"subtype": "PERCENTAGE", "precision": 1}),
        "degrees": (radians(1), {"subtype": "ANGLE"}),
        "seconds": (1.0, {"subtype": "TIME_ABSOLUTE"}),
    }.get(each.kind, (1.0, {"subtype": "FACTOR"} if each.most == 1 else {}))
    names = {"default": each.default, "min": each.least, "max": each.most}
    return FloatProperty(
        **words, **more, **{name: value * scale for name, value in names.items()}, step=10
    )


def parameter_values(settings) -> dict[str, float]:
    """The chosen move's parameters, as the table counts them."""
    result = {}
    for each in MOVES[settings.move].parameters:
        value = getattr(settings, each.name)
        if each.kind == "share":
            value /= PERCENT
        elif each.kind == "degrees":
            value = degrees(value)
        # Blender keeps them as float32, so a bound may come back a hair beyond it.
        result[each.name] = min(max(value, each.least), each.most)
    return result


_fields = {each.name: _property(each) for move in MOVES.values() for each in move.parameters}
_fields["move"] = EnumProperty(
    items=MOVE_ITEMS,
    name="Move",
    description="How the camera is to move over the strip",
    translation_context=CONTEXT,
)
_fields["show_path"] = BoolProperty(
    name="Show Path",
    description="Draw the camera's path over the strip in the viewport, where something is wrong "
    "with it in another colour, and say what",
)

RecamMove = type(
    "RecamMove",
    (bpy.types.PropertyGroup,),
    {"__doc__": "The move to add, and whether its path is shown.", "__annotations__": _fields},
)


def register() -> None:
    bpy.utils.register_class(RecamMove)
    bpy.types.Scene.recam_move = PointerProperty(type=RecamMove)


def unregister() -> None:
    del bpy.types.Scene.recam_move
    bpy.utils.unregister_class(RecamMove)
