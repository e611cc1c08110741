"""Re-shoots in Blender's status bar, wherever the artist works meanwhile."""

from __future__ import annotations

import bpy

from ..jobs import running
from ..translations import words
from .stand_line import line_of


def draw(self, context) -> None:
    """One line for what is under way; the oldest job stands for all."""
    under_way = [job for job in running.jobs if job.running]
    if not under_way:
        failed = [job for job in running.jobs if job.error]
        if failed:
            text = words("Recam: {strip} failed", strip=failed[-1].strip_name)
            self.layout.label(text=text, icon="ERROR", translate=False)
        return
    first = under_way[0]
    row = self.layout.row(align=True)
    more = f"  ({words('1 of {count}', count=len(under_way))})" if len(under_way) > 1 else ""
    row.label(text=first.strip_name + more, icon="CAMERA_DATA", translate=False)
    progress = row.row()
    progress.ui_units_x = 12
    stand = first.stand
    line = words("No answer from the server") if stand.trouble else line_of(stand)
    progress.progress(factor=stand.share or 0.0, text=line, translate=False)
    if len(under_way) > 1:
        row.operator("recam.cancel_all", text="", icon="CANCEL", emboss=False)
    else:
        row.operator("recam.cancel", text="", icon="CANCEL", emboss=False).job = first.id


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(draw)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(draw)
