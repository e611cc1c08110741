"""The panel in the sequencer's sidebar."""

from __future__ import annotations

import bpy

from ..clip.strips import active_strip
from ..jobs import running
from ..jobs.reshoot import Reshoot
from ..settings import MODEL_SETTINGS
from ..versions import sequencer_scene
from .paragraph import paragraph


class RECAM_PT_reshoot(bpy.types.Panel):
    """Engine, the button, and what is under way"""

    bl_idname = "RECAM_PT_reshoot"
    bl_label = "Re-shoot"
    bl_category = "Recam"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"

    def draw(self, context) -> None:
        layout, scene = self.layout, sequencer_scene(context)
        if scene is None:
            layout.label(text="The sequencer shows no scene", icon="INFO")
            return
        settings = scene.recam
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "engine")
        if settings.engine != "projection":
            _draw_model(layout, settings)
        strip = active_strip(scene)
        button = layout.column()
        button.scale_y = 1.5
        label = f"Re-shoot {strip.name}" if strip else "Select a movie strip"
        button.operator("recam.reshoot", text=label, icon="CAMERA_DATA", translate=False)
        for index, job in reversed(list(enumerate(running.jobs))):
            _draw_job(layout.box(), index, job, context.region.width)


def _draw_model(layout, settings) -> None:
    header, body = layout.panel("recam_recammaster", default_closed=True)
    header.label(text="ReCamMaster", translate=False)
    if body is None:
        return
    column = body.column()
    column.prop(settings, "prompt", text="", placeholder="Prompt: what the take shows")
    for name in MODEL_SETTINGS[1:]:
        column.prop(settings, name)


def _draw_job(layout, index: int, job: Reshoot, width: int) -> None:
    row = layout.row()
    row.label(text=_title(job), icon=_icon(job), translate=False)
    if not job.running:
        row.operator("recam.dismiss", text="", icon="X", emboss=False).index = index
    if job.running:
        row = layout.row(align=True)
        stand = job.stand
        row.progress(factor=stand.share or 0.0, text=_progress_text(stand))
        row.operator("recam.cancel", text="", icon="CANCEL").index = index
    elif job.error:
        paragraph(layout, job.error.sentence, "BLANK1", width)
        paragraph(layout, job.error.hint, "BLANK1", width)
    elif not job.take:
        layout.label(text=job.stand.words, icon="BLANK1")
    if job.running and job.engine_reason:
        reason = f"{job.engine}. {job.engine_reason}" if job.engine else job.engine_reason
        paragraph(layout, reason, "INFO", width)
    for remark in job.remarks:
        paragraph(layout, remark, "INFO", width)


def _title(job: Reshoot) -> str:
    more = f" and {len(job.takes) - 1} more" if len(job.takes) > 1 else ""
    return f"{job.take}{more}" or job.strip_name


def _icon(job: Reshoot) -> str:
    if job.error:
        return "ERROR"
    return "CHECKMARK" if job.take else "SEQUENCE"


def _progress_text(stand) -> str:
    if stand.seconds_left is None:
        return stand.words
    minutes, seconds = divmod(round(stand.seconds_left), 60)
    return f"{stand.words}: {minutes}:{seconds:02} left"


def register() -> None:
    bpy.utils.register_class(RECAM_PT_reshoot)


def unregister() -> None:
    bpy.utils.unregister_class(RECAM_PT_reshoot)
