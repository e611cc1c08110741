"""Operators on takes' files: delete, clean up, gather."""

from __future__ import annotations

import bpy

from .. import versions
from ..clip.strips import file_of
from . import operating
from .family import chosen_strip
from .folder import takes_folder
from .gather import gather, scattered
from .operating import OnTake, Reporting
from .removal import delete_take, doom, size_in_words, unused_takes, why_kept

NAMED = 8  # files in the question


class RECAM_OT_delete_take(OnTake, bpy.types.Operator):
    """Delete this take: its strip now, and its file when you save, unless something else uses it"""

    bl_idname = "recam.delete_take"
    bl_label = "Delete Take"

    def invoke(self, context, event) -> set[str]:
        take = chosen_strip(versions.sequencer_scene(context))
        size = size_in_words([file_of(take)])
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=f"Delete “{take.name}”?",
            message=why_kept(take) or f"Its file ({size}) goes when you save.",
            confirm_text="Delete",
        )

    def run(self, scene, strip) -> str:
        return delete_take(strip, scene)


class RECAM_OT_clean_up_takes(Reporting, bpy.types.Operator):
    """Delete the takes' files that no strip of this .blend uses any more, when you save"""

    bl_idname = "recam.clean_up_takes"
    bl_label = "Clean Up Takes"

    @classmethod
    def poll(cls, context) -> bool:
        if not bpy.data.filepath:
            cls.poll_message_set("Save the .blend first")
        return bool(bpy.data.filepath)

    def invoke(self, context, event) -> set[str]:
        files = unused_takes()
        if not files:
            self.report({"INFO"}, f"Every take of this .blend in {takes_folder()} is in use.")
            return {"CANCELLED"}
        names = ", ".join(file.name for file in files[:NAMED])
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=f"Delete {_count(files)} ({size_in_words(files)})?",
            message=f"No strip uses {names}{more}. They go when you save.",
            confirm_text="Delete",
        )

    def run(self, scene, strip) -> str:
        files = unused_takes()
        doom(files)
        return f"{_count(files)} ({size_in_words(files)}) to be deleted when you save."


class RECAM_OT_gather_takes(Reporting, bpy.types.Operator):
    """Bring the files of all takes into the folder for takes, and let their strips follow"""

    bl_idname = "recam.gather_takes"
    bl_label = "Gather Takes"

    @classmethod
    def poll(cls, context) -> bool:
        if not bpy.data.filepath:
            cls.poll_message_set("Save the .blend first: takes are gathered beside it")
            return False
        if not scattered():
            cls.poll_message_set("All takes lie in the folder for takes")
            return False
        return True

    def run(self, scene, strip) -> str:
        return f"{gather()} files of takes now lie in {takes_folder()}."


def _count(files: list) -> str:
    return f"{len(files)} file" if len(files) == 1 else f"{len(files)} files"


CLASSES = (RECAM_OT_delete_take, RECAM_OT_clean_up_takes, RECAM_OT_gather_takes)


def register() -> None:
    operating.register(CLASSES)


def unregister() -> None:
    operating.unregister(CLASSES)
