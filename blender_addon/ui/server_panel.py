"""The panel “Server”: whether one answers, start, stop, the way to the preferences."""

from __future__ import annotations

import bpy

from .places import in_both
from .server_state import draw_buttons, draw_state, draw_task


class ServerPanel:
    """Whether the server answers; start and stop the one on this machine"""

    bl_idname = "RECAM_PT_server"
    bl_label = "Server"

    def draw(self, context) -> None:
        layout, width = self.layout, context.region.width
        draw_state(layout, width)
        row = layout.row()
        draw_buttons(row)
        row.operator("recam.show_preferences", text="Preferences", icon="PREFERENCES")
        draw_task(layout, context, width)


PANELS = in_both(ServerPanel)

register, unregister = bpy.utils.register_classes_factory(PANELS)
