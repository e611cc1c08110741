"""Re-shoots in Blender's status bar, wherever the artist works meanwhile."""

from __future__ import annotations

import bpy

from ..jobs import running


def draw(self, context) -> None:
    """One line for what is under way; the oldest job stands for all."""
    under_way = [job for job in running.jobs if job.running]
    if not under_way:
        failed = [job for job in running.jobs if job.error]
        if failed:
            self.layout.label(text=f"Recam: {failed[-1].strip_name} failed", icon="ERROR")
        return
    first = under_way[0]
    row = self.layout.row(align=True)
    more = f"  (1 of {len(under_way)})" if len(under_way) > 1 else ""
    row.label(text=first.strip_name + more, icon="CAMERA_DATA", translate=False)
    progress = row.row()
    progress.ui_units_x = 12
    stand = first.stand
    line = "No answer from the server" if stand.trouble else stand.line
    progress.progress(factor=stand.share or 0.0, text=line)
    if len(under_way) > 1:
        row.operator("recam.cancel_all", text="", icon="CANCEL", emboss=False)
    else:
        row.operator("recam.cancel", text="", icon="CANCEL", emboss=False).job = first.id


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(draw)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(draw)
