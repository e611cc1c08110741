"""The panel “Shot”: the cameras, the subject, the geometry."""

from __future__ import annotations

import bpy

from ..camera import footage
from ..camera import rig as rigs
from ..camera.look_through import looks_through, view_of
from ..camera.set_up import clip_strip
from ..translations import words
from ..versions import sequencer_scene
from .paragraph import paragraph
from .places import in_both


class RECAM_MT_camera_files(bpy.types.Menu):
    """Cameras from files and into them"""

    bl_idname = "RECAM_MT_camera_files"
    bl_label = "Camera Files"

    def draw(self, context) -> None:
        self.layout.operator("recam.load_camera", icon="IMPORT")
        self.layout.operator("recam.load_source_camera", icon="BLANK1")
        self.layout.operator("recam.save_camera", icon="EXPORT")


class ShotPanel:
    """Where the clip was shot, with what to re-shoot it, and what stands there"""

    bl_idname = "RECAM_PT_shot"
    bl_label = "Shot"

    def draw(self, context) -> None:
        layout, scene = self.layout, sequencer_scene(context)
        if scene is None:
            layout.label(text="The sequencer shows no scene", icon="INFO")
            return
        settings = scene.recam
        width = context.region.width
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.operator("recam.set_up_camera", icon="VIEW_CAMERA")
        draw_rig_of(layout, context, scene)
        _draw_footage(layout, width)
        column = layout.column()
        row = column.row(align=True)
        row.prop(settings, "camera", placeholder=_scene_camera(scene))
        row.menu(RECAM_MT_camera_files.bl_idname, text="", icon="DOWNARROW_HLT")
        column.prop(settings, "source_camera", placeholder=words("not known"))
        column.prop(settings, "subject", placeholder=words("a distance"))
        if rigs.alive(settings.subject) is None:
            column.prop(settings, "subject_distance")
        column.prop(settings, "geometry", placeholder=words("a plane"))
        row = column.row(align=True)
        row.operator("recam.use_as_geometry", text="Use Selected", icon="MESH_DATA")
        if settings.geometry is not None:
            row.operator("recam.release_geometry", text="Release", icon="X")
        view = view_of(context)
        layout.operator(
            "recam.look_through",
            icon="HIDE_OFF",
            depress=view is not None and looks_through(view),
        )


def draw_rig_of(layout, context, scene) -> None:
    """A line where the cameras are set up for another clip, or for one that was moved since."""
    rig, strip = rigs.current_rig(scene.recam), clip_strip(scene)
    if rig is None or strip is None:
        return
    if not rigs.is_for(rig, strip, scene):
        text = words("This is set up for “{strip}”", strip=rig[rigs.STRIP])
    elif not footage.in_step(rig, strip):
        text = words("The strip was moved or trimmed: set it up again to keep the view in step")
    else:
        return
    paragraph(layout, text, "INFO", context.region.width)


def _draw_footage(layout, width: int) -> None:
    job = footage.job
    if job is None:
        return
    if job.running:
        layout.progress(factor=job.share, text="Rendering the clip for the 3D view")
    elif job.error:
        paragraph(layout, str(job.error), "ERROR", width)


def _scene_camera(scene) -> str:
    return scene.camera.name if scene.camera else words("none")


CLASSES = (RECAM_MT_camera_files, *in_both(ShotPanel))

register, unregister = bpy.utils.register_classes_factory(CLASSES)
