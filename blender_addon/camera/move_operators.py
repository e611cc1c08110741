"""The buttons of the panel “Moves”."""

from __future__ import annotations

import bpy

from ..clip.strips import active_strip
from ..shared.errors import RecamError
from ..versions import sequencer_scene
from .moves import add_move, strip_frames


class RECAM_OT_add_move(bpy.types.Operator):
    """Put the move on the camera as keyframes, over the active strip. It begins where the clip was shot. Keyframes of place and rotation within the strip are replaced, all others stay"""  # noqa: E501

    bl_idname = "recam.add_move"
    bl_label = "Add Move"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context) -> bool:
        scene = sequencer_scene(context)
        if scene is None or active_strip(scene) is None:
            cls.poll_message_set("Select a strip in the sequencer")
            return False
        return True

    def execute(self, context) -> set[str]:
        scene = sequencer_scene(context)
        frames = strip_frames(active_strip(scene))
        try:
            camera, keys = add_move(scene, frames)
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        scene.recam_move.show_path = True
        self.report(
            {"INFO"},
            f"{keys} keyframes on “{camera.name}”, frames {frames[0]} to {frames[-1]}",
        )
        return {"FINISHED"}


def register() -> None:
    bpy.utils.register_class(RECAM_OT_add_move)


def unregister() -> None:
    bpy.utils.unregister_class(RECAM_OT_add_move)
