"""The buttons: re-shoot, cancel, try again, dismiss, fetch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, StringProperty

from ..clip.strips import StripMark, active_strip, find_strip, mark, source_of
from ..consent import check_consent
from ..preferences import server_key
from ..scene.blocks import find
from ..shared.errors import RecamError
from ..takes.family import to_reshoot
from ..translations import words
from ..versions import sequencer_scene
from . import running, session
from .reshoot import Reshoot

JOB = {"name": "Job", "description": "The job's id", "options": {"HIDDEN", "SKIP_SAVE"}}


class RECAM_OT_reshoot(bpy.types.Operator):
    """Re-shoot the active strip with the camera, of a take its original; the take comes back as a \
strip above it"""

    bl_idname = "recam.reshoot"
    bl_label = "Re-shoot"

    itself: BoolProperty(
        name="Take Itself",
        description="Re-shoot the picture of the take, instead of its original's",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        scene = sequencer_scene(context)
        if scene is None or active_strip(scene) is None:
            cls.poll_message_set(words("Select a movie strip in the sequencer"))
            return False
        return True

    def invoke(self, context, event) -> set[str]:
        try:
            check_consent()
        except RecamError as error:
            if error.code == "consent" and not self.itself:  # asks, then comes back here
                return bpy.ops.recam.allow_sending("INVOKE_DEFAULT", reshoot=True)
        return self.execute(context)

    def execute(self, context) -> set[str]:
        scene = sequencer_scene(context)
        return _begin(self, active_strip(scene) if self.itself else to_reshoot(scene), scene)


class RECAM_OT_cancel(bpy.types.Operator):
    """Call this re-shoot off"""

    bl_idname = "recam.cancel"
    bl_label = "Cancel"
    bl_options: ClassVar = {"INTERNAL"}

    job: StringProperty(**JOB)

    def execute(self, context) -> set[str]:
        job = running.find(self.job)
        if job is None or not job.running:
            return {"CANCELLED"}
        job.cancel()
        return {"FINISHED"}


class RECAM_OT_cancel_all(bpy.types.Operator):
    """Call all re-shoots of this file off"""

    bl_idname = "recam.cancel_all"
    bl_label = "Cancel All"

    @classmethod
    def poll(cls, context) -> bool:
        if not running.busy():
            cls.poll_message_set(words("No re-shoot is under way"))
        return running.busy()

    def execute(self, context) -> set[str]:
        for job in running.jobs:
            if job.running:
                job.cancel()
        return {"FINISHED"}


class RECAM_OT_dismiss(bpy.types.Operator):
    """Remove this line from the queue; the take stays"""

    bl_idname = "recam.dismiss"
    bl_label = "Dismiss"
    bl_options: ClassVar = {"INTERNAL"}

    job: StringProperty(**JOB)

    def execute(self, context) -> set[str]:
        job = running.find(self.job)
        if job is None or job.running:
            return {"CANCELLED"}
        running.dismiss(job)
        return {"FINISHED"}


class RECAM_OT_dismiss_all(bpy.types.Operator):
    """Remove all lines of the queue that have ended; the takes stay"""

    bl_idname = "recam.dismiss_all"
    bl_label = "Clear Ended"

    @classmethod
    def poll(cls, context) -> bool:
        if ended := any(not job.running for job in running.jobs):
            return ended
        cls.poll_message_set(words("Nothing in the queue has ended"))
        return False

    def execute(self, context) -> set[str]:
        for job in [job for job in running.jobs if not job.running]:
            running.dismiss(job)
        return {"FINISHED"}


class RECAM_OT_retry(bpy.types.Operator):
    """Re-shoot the same strip again, with the same engine and settings, and the camera as it is"""

    bl_idname = "recam.retry"
    bl_label = "Try Again"
    bl_options: ClassVar = {"INTERNAL"}

    job: StringProperty(**JOB)

    def execute(self, context) -> set[str]:
        job = running.find(self.job)
        if job is None or job.running:
            return {"CANCELLED"}
        try:
            strip = find_strip(job.strip)
            scene = find(bpy.data.scenes, job.strip.scene, "scene")
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        done = _begin(self, strip, scene, (job.asked_engine, job.asked_settings))
        if done == {"FINISHED"}:
            running.dismiss(job)
        return done


class RECAM_OT_fetch_again(bpy.types.Operator):
    """Fetch the take again, which is rendered and lies on the server"""

    bl_idname = "recam.fetch_again"
    bl_label = "Fetch Again"
    bl_options: ClassVar = {"INTERNAL"}

    job: StringProperty(**JOB)

    def execute(self, context) -> set[str]:
        job = running.find(self.job)
        return {"FINISHED"} if job is not None and running.fetch_again(job) else {"CANCELLED"}


class RECAM_OT_fetch_lost(bpy.types.Operator):
    """Fetch the takes of files that were never saved, or that are gone: onto the active strip \
where it shows the same clip, else into the folder for takes"""

    bl_idname = "recam.fetch_lost"
    bl_label = "Fetch Takes of Unsaved Files"

    def execute(self, context) -> set[str]:
        scene = sequencer_scene(context)
        strip = active_strip(scene) if scene else None
        found = [
            record for record in running.lost() if running.adopt(record, _on(record, strip, scene))
        ]
        if not found:
            self.report({"INFO"}, words("There are no takes of unsaved files."))
            return {"CANCELLED"}
        return {"FINISHED"}


def _on(record, strip, scene) -> StripMark | None:
    """The active strip's mark for a take of the record's job, if it shows that job's clip."""
    kept = record.strip
    clip = Path(kept["file"])
    if strip is None or not clip.is_absolute() or source_of(strip) != clip:
        return None
    place = {"content_start": kept["content_start"], "first": kept["first"]}
    return replace(mark(strip, scene), **place)


def _begin(operator, strip, scene, asked: tuple[str, dict] | None = None) -> set[str]:
    # A connection that has given up stays so: those without a job are begun anew.
    session.close(but={job.client for job in running.jobs if job.running}, seconds=0)
    try:
        check_consent()
        running.start(Reshoot(strip, scene, session.client(), server_key(), asked))
    except RecamError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


CLASSES = (
    RECAM_OT_reshoot,
    RECAM_OT_cancel,
    RECAM_OT_cancel_all,
    RECAM_OT_dismiss,
    RECAM_OT_dismiss_all,
    RECAM_OT_retry,
    RECAM_OT_fetch_again,
    RECAM_OT_fetch_lost,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
