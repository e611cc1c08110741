"""The submenu “Recam” of a strip: in its context menu and in the sequencer's menu “Strip”."""

from __future__ import annotations

import bpy

from ..takes.family import chosen_strip, family_of
from ..versions import sequencer_scene

MENUS = ("SEQUENCER_MT_context_menu", "SEQUENCER_MT_strip")


class RECAM_MT_takes(bpy.types.Menu):
    """What can be done with the takes of the active strip"""

    bl_idname = "RECAM_MT_takes"
    bl_label = "Takes"

    def draw(self, context) -> None:
        layout = self.layout
        layout.operator("recam.compare_toggle", icon="UV_SYNC_SELECT")
        layout.operator("recam.next_take", icon="FRAME_NEXT")
        layout.operator("recam.compare_wipe", icon="ARROW_LEFTRIGHT")
        layout.separator()
        layout.operator("recam.approve_take", icon="CHECKMARK")
        layout.operator("recam.unapprove_take")
        layout.operator("recam.cg_over_take", icon="SCENE")
        layout.separator()
        layout.operator("recam.redo_take", icon="FILE_REFRESH")
        layout.operator("recam.restore_take", icon="LOOP_BACK")
        itself = layout.operator("recam.reshoot", text="Re-shoot the Take Itself")
        itself.itself = True
        layout.separator()
        layout.operator("recam.delete_take", icon="TRASH")


class RECAM_MT_strip(bpy.types.Menu):
    """What Recam does with the active strip"""

    bl_idname = "RECAM_MT_strip"
    bl_label = "Recam"

    def draw(self, context) -> None:
        layout, scene = self.layout, sequencer_scene(context)
        layout.operator("recam.set_up_camera", icon="VIEW_CAMERA")
        layout.operator("recam.add_move", icon="KEYFRAME_HLT")
        layout.operator("recam.reshoot", icon="CAMERA_DATA")
        if family_of(chosen_strip(scene), scene).takes:
            layout.separator()
            layout.menu("RECAM_MT_takes", icon="RENDER_RESULT")


def _in_menu(self, context) -> None:
    scene = sequencer_scene(context)
    if scene is not None and chosen_strip(scene) is not None:
        self.layout.separator()
        self.layout.menu("RECAM_MT_strip", icon="CAMERA_DATA")


CLASSES = (RECAM_MT_takes, RECAM_MT_strip)


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)
    for name in MENUS:
        getattr(bpy.types, name).append(_in_menu)


def unregister() -> None:
    for name in MENUS:
        getattr(bpy.types, name).remove(_in_menu)
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
