"""The buttons: re-shoot, cancel, dismiss."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from ..clip.strips import active_strip
from ..consent import check_consent
from ..shared.errors import RecamError
from ..versions import sequencer_scene
from . import running, session
from .reshoot import Reshoot


class RECAM_OT_reshoot(bpy.types.Operator):
    """Re-shoot the active strip with the camera; the take comes back as a strip above it"""

    bl_idname = "recam.reshoot"
    bl_label = "Re-shoot"

    @classmethod
    def poll(cls, context) -> bool:
        scene = sequencer_scene(context)
        if scene is None or active_strip(scene) is None:
            cls.poll_message_set("Select a movie strip in the sequencer")
            return False
        return True

    def invoke(self, context, event) -> set[str]:
        try:
            check_consent()
        except RecamError as error:
            if error.code == "consent":
                return bpy.ops.recam.allow_sending("INVOKE_DEFAULT", reshoot=True)
        return self.execute(context)

    def execute(self, context) -> set[str]:
        scene = sequencer_scene(context)
        if not running.busy():
            session.close()  # a connection that has given up stays so: begin anew
        try:
            check_consent()
            running.start(Reshoot(active_strip(scene), scene, session.client()))
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RECAM_OT_cancel(bpy.types.Operator):
    """Call this re-shoot off"""

    bl_idname = "recam.cancel"
    bl_label = "Cancel"

    index: IntProperty(options={"HIDDEN"})

    def execute(self, context) -> set[str]:
        if 0 <= self.index < len(running.jobs):
            running.jobs[self.index].cancel()
        return {"FINISHED"}


class RECAM_OT_dismiss(bpy.types.Operator):
    """Remove this line from the panel; the take stays"""

    bl_idname = "recam.dismiss"
    bl_label = "Dismiss"

    index: IntProperty(options={"HIDDEN"})

    def execute(self, context) -> set[str]:
        if 0 <= self.index < len(running.jobs):
            running.dismiss(running.jobs[self.index])
        return {"FINISHED"}


CLASSES = (RECAM_OT_reshoot, RECAM_OT_cancel, RECAM_OT_dismiss)


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)


def unregister() -> None:
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
