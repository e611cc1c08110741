"""The button “Set Up Camera”: everything that a clip needs in the 3D scene, in one step."""

from __future__ import annotations

from typing import ClassVar

import bpy
from bpy.props import BoolProperty, FloatProperty

from .. import versions
from ..clip.layout import picture_rect
from ..clip.plate import check, picture_part
from ..clip.strips import KINDS, active_strip, placement_of
from ..shared.errors import RecamError
from ..takes.family import is_take, original_at
from ..translations import CONTEXT, words
from . import rig as rigs
from .footage import show_clip
from .new_cameras import LENS, new_camera, new_source, new_subject
from .sampling import frame_size


class RECAM_OT_set_up_camera(bpy.types.Operator):
    """Put the clip into the 3D scene: a camera where it was shot, the clip on a plane at the subject's distance, and a second camera to animate"""  # noqa: E501

    bl_idname = "recam.set_up_camera"
    bl_label = "Set Up Camera"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    lens: FloatProperty(
        name="Lens",
        translation_context=CONTEXT,
        description="Focal length of the lens that shot the clip, in millimetres for the sensor "
        "size that the camera has",
        default=LENS,
        min=1.0,
        soft_max=500.0,
        unit="CAMERA",
        options={"SKIP_SAVE"},
    )
    match_range: BoolProperty(
        name="Range",
        description="Let the scene begin and end with the strip",
        default=True,
        translation_context=CONTEXT,
    )
    match_resolution: BoolProperty(
        name="Resolution",
        description="Make the scene's frame as large as the clip's picture in it",
        default=True,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        scene = versions.sequencer_scene(context)
        if scene is None or active_strip(scene) is None:
            cls.poll_message_set(words("Select a strip in the sequencer"))
            return False
        return True

    def execute(self, context) -> set[str]:
        scene = versions.sequencer_scene(context)
        strip = clip_strip(scene)
        try:
            check(strip, scene)
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        stage = context.scene
        if not self.properties.is_property_set("match_resolution") and not _alone(strip, scene):
            self.match_resolution = False
            self.report({"INFO"}, words("Other clips have this frame too: it keeps its size"))
        rig = rigs.rig_of(strip, scene, stage)
        fresh = rig is None
        rig = rig or rigs.new_rig(strip, stage)
        rigs.name_strip(rig, strip)
        self._match(strip, scene, stage)
        rig[rigs.RECT] = picture_part(strip, scene).of(frame_size(scene))
        source = self._add_cameras(rig, scene.recam, stage)
        rigs.add_screen(rig)
        context.view_layer.update()  # so that the source camera is where it is
        self._choose(rig, source, scene.recam, stage)
        if fresh:
            scene.recam_move.show_path = True
            if context.mode == "OBJECT":
                _select(context, rigs.part(rig, rigs.CAMERA))
        try:
            show_clip(rig, strip, scene)
        except RecamError as error:
            self.report({"WARNING"}, str(error))
        return {"FINISHED"}

    def draw(self, context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "lens")
        column = layout.column(heading="Match", heading_ctxt=CONTEXT)
        column.prop(self, "match_range")
        column.prop(self, "match_resolution")

    def _match(self, strip, scene, stage) -> None:
        if self.match_range:
            stage.frame_start = versions.first_frame(strip)
            stage.frame_end = versions.end_frame(strip) - 1
        if self.match_resolution:
            scene.render.resolution_x, scene.render.resolution_y = _size(strip, scene)
        if stage != scene:  # cameras are sampled in the one, for the other's frame
            for name in ("resolution_x", "resolution_y", "pixel_aspect_x", "pixel_aspect_y"):
                setattr(stage.render, name, getattr(scene.render, name))
            stage.render.fps, stage.render.fps_base = scene.render.fps, scene.render.fps_base

    def _add_cameras(self, rig, settings, stage) -> bpy.types.Object:
        """The source camera, known already or new; the rig's second camera beside it."""
        source = rigs.source_camera_of(rig)
        if source is None:
            chosen = rigs.alive(settings.source_camera)
            own = chosen is not None and rigs.PART not in chosen
            source = chosen if own else rigs.add(rig, rigs.SOURCE, new_source(rig, stage))
        if rigs.PART in source and self.properties.is_property_set("lens"):
            source.data.lens = self.lens
        self.lens = source.data.lens
        if rigs.part(rig, rigs.CAMERA) is None:
            rigs.add(rig, rigs.CAMERA, new_camera(rig, source))
        return source

    def _choose(self, rig, source, settings, stage) -> None:
        """Let ``scene.recam`` and the scene be about this rig."""
        subject, distance = rigs.aim_of(rig)
        if distance is None:
            subject, distance = rigs.alive(settings.subject), settings.subject_distance
            if not settings.is_property_set("subject_distance"):
                distance /= stage.unit_settings.scale_length  # the default is in metres
            if subject is None or rigs.PART in subject:
                subject = rigs.add(rig, rigs.SUBJECT, new_subject(rig, source, distance))
        settings.rig = None  # nothing follows before all is set
        settings.source_camera, settings.camera = source, rigs.part(rig, rigs.CAMERA)
        settings.subject, settings.subject_distance = subject, distance
        settings.rig = rig
        rigs.follow(settings.id_data)
        rigs.show_screen(settings.id_data)
        stage.camera = settings.camera


def clip_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The strip that a rig is for: the active one, or what it is a take of."""
    strip = active_strip(scene)
    seen = []
    while is_take(strip) and strip not in seen:
        seen.append(strip)
        strip = original_at(strip, scene) or strip
    return strip


def _alone(strip, scene) -> bool:
    """Whether no other clip lies in the sequencer than this one and takes."""
    within = strip
    while within.parent_meta() is not None:
        within = within.parent_meta()
    others = versions.strips(scene.sequence_editor)
    return not any(s.type in KINDS and s != within and not is_take(s) for s in others)


def _size(strip, scene) -> tuple[int, int]:
    """The frame that the strip's picture fills as it lies there; today's where none does."""
    frame, placed = frame_size(scene), placement_of(strip)
    rect = picture_rect(placed, frame)
    size = rect.width, rect.height
    middle = rect.left + size[0] / 2, rect.top + size[1] / 2
    if placed.rotation or any(abs(middle[i] - frame[i] / 2) > 1 for i in (0, 1)):
        return frame
    if placed.scale == (1, 1):  # as it comes from the file
        return int(size[0]), int(size[1])
    even = (2 * round(side / 2) for side in size)  # as movie files want it
    return tuple(min(pair) for pair in zip(even, frame, strict=True))


def _select(context, thing) -> None:
    for other in context.view_layer.objects.selected[:]:
        other.select_set(False)
    thing.select_set(True)
    context.view_layer.objects.active = thing


register, unregister = bpy.utils.register_classes_factory([RECAM_OT_set_up_camera])
