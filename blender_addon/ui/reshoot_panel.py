"""The panel “Re-shoot”: engine, settings, the button."""

from __future__ import annotations

import bpy

from ..camera.path_watch import path_of
from ..jobs import estimate
from ..settings import MODEL_SETTINGS
from ..takes.family import to_reshoot
from ..translations import words
from ..versions import sequencer_scene
from .paragraph import paragraph
from .places import in_both
from .shot_panel import draw_rig_of


class ReshootPanel:
    """Which engine re-shoots the active strip, how, and the button"""

    bl_idname = "RECAM_PT_reshoot"
    bl_label = "Re-shoot"

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
        column.prop(settings, "handles")
        if settings.engine != "projection":
            _draw_model(layout, settings)
        found = path_of(scene).findings if scene.recam_move.show_path else ()
        if found:
            said = words("Wrong with the camera's path: {count} (see Moves)", count=len(found))
            paragraph(layout, said, "ERROR", context.region.width)
        strip = to_reshoot(scene)  # of a take, its original
        button = layout.column()
        button.scale_y = 1.5
        label = words("Select a movie strip")
        if strip:
            label = words("Re-shoot {strip}", strip=strip.name)
        button.operator("recam.reshoot", text=label, icon="CAMERA_DATA", translate=False)
        if strip:
            draw_rig_of(layout, context, scene)
            _draw_estimate(layout, estimate.show(strip, scene), context.region.width)


def _draw_model(layout, settings) -> None:
    header, body = layout.panel("recam_recammaster", default_closed=True)
    header.label(text="ReCamMaster", translate=False)
    if body is None:
        return
    column = body.column()
    column.prop(settings, "prompt", text="", placeholder=words("Prompt: what the take shows"))
    for name in MODEL_SETTINGS[1:]:
        column.prop(settings, name)


def _draw_estimate(layout, known: estimate.Estimate, width: int) -> None:
    if known.error:
        paragraph(layout, str(known.error), "ERROR", width)
    for number, sentence in enumerate(known.sentences):
        paragraph(layout, sentence, "INFO" if number else "TIME", width)


PANELS = in_both(ReshootPanel)

register, unregister = bpy.utils.register_classes_factory(PANELS)
