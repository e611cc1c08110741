"""Operators that choose what is seen: compare, wipe, approve."""

from __future__ import annotations

from typing import ClassVar

import bpy
from bpy.props import StringProperty

from .. import versions
from ..translations import CONTEXT, words
from .family import family_of
from .operating import OnFamily, OnTake
from .viewing import APPROVED, approve, begin_wipe, end_wipe, show, show_next, toggle, unapprove


class RECAM_OT_compare_toggle(OnFamily, bpy.types.Operator):
    """Show the original instead of the take, or the take instead of the original"""

    bl_idname = "recam.compare_toggle"
    bl_label = "Compare Original and Take"

    def run(self, scene, strip) -> None:
        toggle(strip, scene)


class RECAM_OT_next_take(OnFamily, bpy.types.Operator):
    """Show the next of the original and its takes, one after the other"""

    bl_idname = "recam.next_take"
    bl_label = "Next Take"

    def run(self, scene, strip) -> None:
        scene.sequence_editor.active_strip = show_next(strip, scene)


class RECAM_OT_show_take(OnFamily, bpy.types.Operator):
    """Show this one, mute the others, and make it the active strip"""

    bl_idname = "recam.show_take"
    bl_label = "Show This"
    bl_options: ClassVar = {"REGISTER", "UNDO", "INTERNAL"}

    strip: StringProperty(name="Strip", options={"HIDDEN", "SKIP_SAVE"})

    def run(self, scene, strip) -> None:
        chosen = versions.all_strips(scene.sequence_editor).get(self.strip, strip)
        show(chosen, scene)
        scene.sequence_editor.active_strip = chosen
        for other in versions.all_strips(scene.sequence_editor):
            other.select = other == chosen


class RECAM_OT_compare_wipe(OnFamily, bpy.types.Operator):
    """Show the original and the take side by side, with a line to drag; again, to end it"""

    bl_idname = "recam.compare_wipe"
    bl_label = "Wipe"
    bl_translation_context = CONTEXT

    def run(self, scene, strip) -> None:
        if not end_wipe(family_of(strip, scene), scene):
            begin_wipe(strip, scene)


class RECAM_OT_approve_take(OnTake, bpy.types.Operator):
    """Mark this take as the one that counts, and mute the original and the other takes"""

    bl_idname = "recam.approve_take"
    bl_label = "Approve"

    def run(self, scene, strip) -> None:
        approve(strip, scene)


class RECAM_OT_unapprove_take(OnTake, bpy.types.Operator):
    """Take back that this take is the one that counts; what is shown stays"""

    bl_idname = "recam.unapprove_take"
    bl_label = "Unapprove"

    def run(self, scene, strip) -> str | None:
        if APPROVED not in strip:
            return words("“{strip}” was not approved.", strip=strip.name)
        unapprove(strip)
        return None


CLASSES = (
    RECAM_OT_compare_toggle,
    RECAM_OT_next_take,
    RECAM_OT_show_take,
    RECAM_OT_compare_wipe,
    RECAM_OT_approve_take,
    RECAM_OT_unapprove_take,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
