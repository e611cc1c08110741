"""The buttons of the panel “Moves”."""

from __future__ import annotations

from typing import ClassVar

import bpy

from ..clip.strips import active_strip
from ..shared.errors import RecamError
from ..translations import words
from ..ui.places import redraw
from ..versions import sequencer_scene
from .moves import add_move, strip_frames
from .path_watch import path_of


class RECAM_OT_add_move(bpy.types.Operator):
    """Put the move on the camera as keyframes, over the active strip. It begins where the clip was shot. Keyframes of place and rotation within the strip are replaced, all others stay"""  # noqa: E501

    bl_idname = "recam.add_move"
    bl_label = "Add Move"
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        scene = sequencer_scene(context)
        if scene is None or active_strip(scene) is None:
            cls.poll_message_set(words("Select a strip in the sequencer"))
            return False
        return True

    def execute(self, context) -> set[str]:
        scene = sequencer_scene(context)
        frames = strip_frames(active_strip(scene))
        window = context.window_manager
        window.progress_begin(0.0, 1.0)  # a heavy scene takes its time
        try:
            camera, keys = add_move(scene, frames, window.progress_update)
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            window.progress_end()
        scene.recam_move.show_path = True
        self.report(
            {"INFO"},
            words(
                "{count} keyframes on “{camera}”, frames {first} to {last}",
                count=keys,
                camera=camera.name,
                first=frames[0],
                last=frames[-1],
            ),
        )
        return {"FINISHED"}


class RECAM_OT_refresh_path(bpy.types.Operator):
    """Read the camera's path again, and what is wrong with it, however long this scene takes"""

    bl_idname = "recam.refresh_path"
    bl_label = "Refresh Path"

    @classmethod
    def poll(cls, context) -> bool:
        scene = sequencer_scene(context)
        if scene is None or active_strip(scene) is None:
            cls.poll_message_set(words("Select a strip in the sequencer"))
            return False
        return True

    def execute(self, context) -> set[str]:
        scene = sequencer_scene(context)
        scene.recam_move.show_path = True
        path_of(scene).refresh()
        redraw()
        return {"FINISHED"}


CLASSES = (RECAM_OT_add_move, RECAM_OT_refresh_path)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
