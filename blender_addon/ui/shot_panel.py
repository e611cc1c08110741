"""The panel “Shot”: the cameras, the subject, the geometry."""

from __future__ import annotations

import bpy

from ..versions import sequencer_scene
from .places import in_both


class ShotPanel:
    """Where the clip was shot, with what to re-shoot it, and how far its subject is"""

    bl_idname = "RECAM_PT_shot"
    bl_label = "Shot"

    def draw(self, context) -> None:
        layout, scene = self.layout, sequencer_scene(context)
        if scene is None:
            layout.label(text="The sequencer shows no scene", icon="INFO")
            return
        settings = scene.recam
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.operator("recam.set_up_camera", icon="VIEW_CAMERA")
        column = layout.column()
        column.prop(settings, "camera", placeholder=_scene_camera(scene))
        column.prop(settings, "source_camera", placeholder="not known")
        column.prop(settings, "subject", placeholder="at a distance")
        if settings.subject is None:
            column.prop(settings, "subject_distance")


def _scene_camera(scene) -> str:
    return scene.camera.name if scene.camera else "none"


PANELS = in_both(ShotPanel)


def register() -> None:
    for panel in PANELS:
        bpy.utils.register_class(panel)


def unregister() -> None:
    for panel in reversed(PANELS):
        bpy.utils.unregister_class(panel)
