"""The panel “Moves”: a move and its parameters, the path, what is wrong with it."""

from __future__ import annotations

import bpy

from ..camera.path import Path
from ..camera.path_watch import path_of
from ..clip.strips import active_strip
from ..shared.cameras.moves import MOVES
from ..versions import sequencer_scene
from .paragraph import paragraph
from .places import in_both


class MovesPanel:
    """A move to begin with, the camera's path in the viewport, and what is wrong with it"""

    bl_idname = "RECAM_PT_moves"
    bl_label = "Moves"

    def draw(self, context) -> None:
        layout, scene = self.layout, sequencer_scene(context)
        if scene is None:
            layout.label(text="The sequencer shows no scene", icon="INFO")
            return
        settings = scene.recam_move
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "move")
        for parameter in MOVES[settings.move].parameters:
            column.prop(settings, parameter.name, slider=parameter.most == 1)
        layout.operator("recam.add_move", icon="KEYFRAME_HLT")
        layout.prop(settings, "show_path")
        if settings.show_path and active_strip(scene) is not None:
            _draw_findings(layout.column(), path_of(scene), context.region.width)


def _draw_findings(layout, path: Path, width: int) -> None:
    if path.by_hand:
        paragraph(layout, path.by_hand, "TIME", width)
        layout.operator("recam.refresh_path", icon="FILE_REFRESH")
    if path.problem:
        paragraph(layout, path.problem, "ERROR", width)
    for finding in path.findings:
        paragraph(layout, finding.sentence, "ERROR", width)
    if path.lines is not None and not path.findings:
        layout.label(text="Nothing is wrong with this path", icon="CHECKMARK")


PANELS = in_both(MovesPanel)

register, unregister = bpy.utils.register_classes_factory(PANELS)
