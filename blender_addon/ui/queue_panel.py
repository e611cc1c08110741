"""The panel “Queue”: the re-shoots under way and those that have ended, the latest first."""

from __future__ import annotations

import bpy

from ..jobs import pictures, running
from ..jobs.job import Job
from ..translations import words
from .paragraph import paragraph
from .places import in_both
from .server_state import engine_title
from .stand_line import line_of

PICTURE_SCALE = 5.0  # in units of a button's height
PICTURE_SHARE = 0.35  # of the panel's width


class QueuePanel:
    """What is being re-shot, how far it is, and what has ended"""

    bl_idname = "RECAM_PT_queue"
    bl_label = "Queue"

    def draw_header_preset(self, context) -> None:
        self.layout.menu("RECAM_MT_queue", text="", icon="DOWNARROW_HLT")

    def draw(self, context) -> None:
        layout = self.layout
        if not running.jobs:
            layout.label(text="Nothing is being re-shot")
        for job in reversed(running.jobs):
            _draw_job(layout.box(), job, context.region.width)
        if sum(job.running for job in running.jobs) > 1:
            layout.operator("recam.cancel_all", icon="CANCEL")


class RECAM_MT_queue(bpy.types.Menu):
    """More for the queue"""

    bl_idname = "RECAM_MT_queue"
    bl_label = "Queue"

    def draw(self, context) -> None:
        layout = self.layout
        layout.operator("recam.cancel_all", icon="CANCEL")
        layout.operator("recam.dismiss_all", icon="X")
        layout.separator()
        layout.operator("recam.fetch_lost", icon="IMPORT")


def _draw_job(layout, job: Job, width: int) -> None:
    row = layout.row()
    row.label(text=_title(job), icon=_icon(job), translate=False)
    if not job.running:
        row.operator("recam.dismiss", text="", icon="X", emboss=False).job = job.id
    if job.running:
        _draw_progress(layout, job, width)
    elif job.error:
        paragraph(layout, job.error.sentence, "BLANK1", width)
        if job.error.hint:
            paragraph(layout, job.error.hint, "BLANK1", width)
        if job.to_fetch:
            layout.operator("recam.fetch_again", icon="IMPORT").job = job.id
        layout.operator("recam.retry", icon="FILE_REFRESH").job = job.id
    elif not job.take:
        layout.label(text=job.stand.words, icon="BLANK1")
    for remark in job.remarks:
        paragraph(layout, remark, "INFO", width)


def _draw_progress(layout, job: Job, width: int) -> None:
    stand = job.stand
    row = layout.row(align=True)
    row.progress(factor=stand.share or 0.0, text=line_of(stand), translate=False)
    row.operator("recam.cancel", text="", icon="CANCEL").job = job.id
    if icon := pictures.icon(job.id):  # it takes a square: what there is to say stands beside it
        split = layout.split(factor=PICTURE_SHARE)
        split.template_icon(icon, scale=PICTURE_SCALE)
        layout, width = split.column(), round(width * (1 - PICTURE_SHARE))
    if stand.trouble:
        paragraph(layout, stand.trouble, "ERROR", width)
    if job.engine_reason:
        title = engine_title(job.engine)
        paragraph(layout, f"{title}. {job.engine_reason}".removeprefix(". "), "INFO", width)


def _title(job: Job) -> str:
    if len(job.takes) > 1:
        return words("{take} and {count} more", take=job.take, count=len(job.takes) - 1)
    return job.take or job.strip_name


def _icon(job: Job) -> str:
    if job.error:
        return "ERROR"
    return "CHECKMARK" if job.take else "SEQUENCE"


CLASSES = (RECAM_MT_queue, *in_both(QueuePanel))

register, unregister = bpy.utils.register_classes_factory(CLASSES)
