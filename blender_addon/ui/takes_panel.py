"""The panel “Takes”: the active strip's takes, and what can be done with them."""

from __future__ import annotations

import bpy

from ..takes import cg
from ..takes.family import Family, chosen_strip, family_of, is_take, record_of
from ..takes.gather import scattered
from ..takes.viewing import APPROVED, wipe_of
from ..translations import words
from ..versions import sequencer_scene
from .places import in_both
from .server_state import engine_title


class TakesPanel:
    """The takes of the active strip: compare them, approve one, go on from one"""

    bl_idname = "RECAM_PT_takes"
    bl_label = "Takes"

    def draw(self, context) -> None:
        layout, scene = self.layout, sequencer_scene(context)
        strip = chosen_strip(scene) if scene is not None else None
        family = family_of(strip, scene) if strip is not None else Family([], [])
        if family.takes:
            _draw_list(layout, strip, family)
            _draw_compare(layout, wipe_of(family, scene))
            if is_take(strip):
                _draw_take(layout, strip)
        else:
            layout.label(text="The active strip has no takes", icon="INFO")
        if cg.in_cg(context.scene):
            layout.operator("recam.leave_cg", icon="LOOP_BACK")
        if bpy.data.filepath and scattered():
            layout.label(text="Takes lie outside their folder", icon="INFO")
            layout.operator("recam.gather_takes", icon="FILE_FOLDER")
        layout.operator("recam.clean_up_takes", icon="BRUSH_DATA")


def _draw_list(layout, strip, family: Family) -> None:
    column = layout.box().column(align=True)
    for each in [*reversed(family.takes), *family.originals[:1]]:
        row = column.row(align=True)
        eye = "HIDE_ON" if each.mute else "HIDE_OFF"
        row.operator("recam.show_take", text="", icon=eye, emboss=False).strip = each.name
        name = row.row()
        name.active = each == strip
        icon = "CHECKMARK" if APPROVED in each else "BLANK1"
        name.label(text=each.name, icon=icon, translate=False)
        made = row.row()
        made.alignment = "RIGHT"
        made.active = False
        made.label(text=_made_by(each), translate=False)


def _made_by(strip) -> str:
    """“ReCamMaster 5”: the engine, and the seed if it has one."""
    if not is_take(strip):
        return words("original")
    record = record_of(strip)
    seed = (record.get("report") or {}).get("seed")
    return f"{engine_title(record.get('engine', ''))} {'' if seed is None else seed}".strip()


def _draw_compare(layout, wipe) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    row.operator("recam.compare_toggle", text="Compare", icon="UV_SYNC_SELECT")
    row.operator("recam.next_take", text="Next", icon="FRAME_NEXT")
    row.operator("recam.compare_wipe", icon="ARROW_LEFTRIGHT", depress=wipe is not None)
    if wipe is not None:
        column.prop(wipe, "effect_fader", text="Original to Take", slider=True)


def _draw_take(layout, take) -> None:
    column = layout.column(align=True)
    if APPROVED in take:
        column.operator("recam.unapprove_take", icon="CHECKMARK", depress=True)
    else:
        column.operator("recam.approve_take", icon="CHECKMARK")
    column.operator("recam.cg_over_take", icon="SCENE")
    column = layout.column(align=True)
    column.operator("recam.redo_take", icon="FILE_REFRESH")
    column.operator("recam.restore_take", icon="LOOP_BACK")
    again = column.operator("recam.reshoot", text="Re-shoot the Take Itself", icon="CAMERA_DATA")
    again.itself = True
    layout.operator("recam.delete_take", icon="TRASH")


PANELS = in_both(TakesPanel)

register, unregister = bpy.utils.register_classes_factory(PANELS)
