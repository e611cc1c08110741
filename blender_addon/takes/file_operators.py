"""Operators on takes' files: delete, clean up, gather."""

from __future__ import annotations

import bpy

from .. import versions
from ..clip.strips import file_of
from ..translations import words
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
            title=words("Delete “{take}”?", take=take.name),
            message=why_kept(take) or words("Its file ({size}) goes when you save.", size=size),
            confirm_text=words("Delete"),
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
            cls.poll_message_set(words("Save the .blend first"))
        return bool(bpy.data.filepath)

    def invoke(self, context, event) -> set[str]:
        files = unused_takes()
        if not files:
            said = "Every take of this .blend in {folder} is in use."
            self.report({"INFO"}, words(said, folder=takes_folder()))
            return {"CANCELLED"}
        names = ", ".join(file.name for file in files[:NAMED])
        if len(files) > NAMED:
            names = words("{take} and {count} more", take=names, count=len(files) - NAMED)
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=words("Delete {files} ({size})?", files=_count(files), size=size_in_words(files)),
            message=words("No strip uses {names}. They go when you save.", names=names),
            confirm_text=words("Delete"),
        )

    def run(self, scene, strip) -> str:
        files = unused_takes()
        doom(files)
        said = "To be deleted when you save: {files} ({size})"
        return words(said, files=_count(files), size=size_in_words(files))


class RECAM_OT_gather_takes(Reporting, bpy.types.Operator):
    """Bring the files of all takes into the folder for takes, and let their strips follow"""

    bl_idname = "recam.gather_takes"
    bl_label = "Gather Takes"

    @classmethod
    def poll(cls, context) -> bool:
        if not bpy.data.filepath:
            cls.poll_message_set(words("Save the .blend first: takes are gathered beside it"))
            return False
        if not scattered():
            cls.poll_message_set(words("All takes lie in the folder for takes"))
            return False
        return True

    def run(self, scene, strip) -> str:
        count = gather()
        return words(
            "{count} files of takes now lie in {folder}.", count=count, folder=takes_folder()
        )


def _count(files: list) -> str:
    return words("1 file") if len(files) == 1 else words("{count} files", count=len(files))


CLASSES = (RECAM_OT_delete_take, RECAM_OT_clean_up_takes, RECAM_OT_gather_takes)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
