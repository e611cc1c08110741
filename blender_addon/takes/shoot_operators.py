"""Operators that go back to a take's shot: redo, restore, CG over it."""

from __future__ import annotations

from typing import ClassVar

import bpy

from .. import versions
from ..camera.keys import has_keys, hindrance
from ..settings import MODEL_SETTINGS
from ..shared.errors import RecamError
from ..translations import words
from . import cg
from .again import apply_settings, first_frame_of_file, restore, target_camera
from .family import chosen_strip, original_at
from .operating import OnTake

PANEL = ("engine", *MODEL_SETTINGS)


class RECAM_OT_redo_take(OnTake, bpy.types.Operator):
    """Re-shoot this take's original with the take's settings, changed as you like, and the camera \
as it is now"""

    bl_idname = "recam.redo_take"
    bl_label = "Redo with Changes"

    _before = None

    def invoke(self, context, event) -> set[str]:
        scene = versions.sequencer_scene(context)
        take = chosen_strip(scene)
        self._put_in(take, scene)
        clip = original_at(take, scene) or take
        return context.window_manager.invoke_props_dialog(
            self,
            title=words("Re-shoot “{strip}” again", strip=clip.name),
            confirm_text=words("Re-shoot"),
            width=400,
        )

    def draw(self, context) -> None:
        settings = versions.sequencer_scene(context).recam
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        for name in PANEL if settings.engine != "projection" else PANEL[:1]:
            self.layout.prop(settings, name)

    def cancel(self, context) -> None:
        self._put_back(versions.sequencer_scene(context))

    def run(self, scene, strip) -> None:
        if self._before is None:  # else they are in the panel, and may have been changed there
            self._put_in(strip, scene)
        try:
            bpy.ops.recam.reshoot("INVOKE_DEFAULT")
        except RuntimeError as error:  # what it reported
            self._put_back(scene)
            raise RecamError("reshoot", str(error).removeprefix("Error: ").strip()) from error

    def _put_in(self, take, scene) -> None:
        self._before = {name: getattr(scene.recam, name) for name in PANEL}
        apply_settings(take, scene)

    def _put_back(self, scene) -> None:
        for name, value in self._before.items():
            setattr(scene.recam, name, value)


class RECAM_OT_restore_take(OnTake, bpy.types.Operator):
    """Put this take's settings into the panel and its camera's way onto the camera, a key for \
every frame"""

    bl_idname = "recam.restore_take"
    bl_label = "Restore Camera and Settings"

    def invoke(self, context, event) -> set[str]:
        scene = versions.sequencer_scene(context)
        take, camera = chosen_strip(scene), target_camera(scene)
        try:
            first = first_frame_of_file(take)
        except RecamError:
            return self.execute(context)  # which says so
        frames = range(first, first + versions.content_duration(take))
        if camera is None or hindrance(camera) or not has_keys(camera, frames):
            return self.execute(context)
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=words("Replace the keys of “{camera}”?", camera=camera.name),
            message=words(
                "It has keys from frame {first} to {last}: the take's take their place.",
                first=frames[0],
                last=frames[-1],
            ),
            confirm_text=words("Replace"),
        )

    def run(self, scene, strip) -> str:
        before = target_camera(scene)
        camera = restore(strip, scene)
        if camera == before or before is None:
            said = "“{camera}” moves as it did for “{strip}”."
            return words(said, camera=camera.name, strip=strip.name)
        return words(
            "“{camera}” hangs on {why}: the new “{new}” moves as it did.",
            camera=before.name,
            why=hindrance(before),
            new=camera.name,
        )


class RECAM_OT_cg_over_take(OnTake, bpy.types.Operator):
    """Set the scene up so that 3D objects sit in the take's picture: its camera, lens, \
resolution, range and rate, and the take behind them"""

    bl_idname = "recam.cg_over_take"
    bl_label = "CG over This Take"

    def execute(self, context) -> set[str]:
        self._context_scene, self._screen = context.scene, context.screen
        return super().execute(context)

    def run(self, scene, strip) -> str:
        camera, remarks = cg.begin(strip, scene, self._context_scene)
        if self._screen is not None:
            cg.look_through(camera, self._screen)
        said = words("“{camera}” is the scene's camera.", camera=camera.name)
        return " ".join([said, *remarks])


class RECAM_OT_leave_cg(bpy.types.Operator):
    """Give the scene back the camera, resolution, range and rate that it had before; the take's \
camera stays"""

    bl_idname = "recam.leave_cg"
    bl_label = "Leave CG"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        if not cg.in_cg(context.scene):
            cls.poll_message_set(words("The scene is not set up over a take"))
        return cg.in_cg(context.scene)

    def execute(self, context) -> set[str]:
        cg.leave(context.scene)
        return {"FINISHED"}


CLASSES = (
    RECAM_OT_redo_take,
    RECAM_OT_restore_take,
    RECAM_OT_cg_over_take,
    RECAM_OT_leave_cg,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
