"""What all operators on takes share: the strip they are about, and errors in words."""

from __future__ import annotations

from typing import ClassVar

from .. import versions
from ..shared.errors import RecamError
from ..translations import words
from .family import ID, chosen_strip, is_take


class Reporting:
    """``execute`` runs ``run(scene, strip)``, on the sequencer's scene and its active strip.

    A RecamError becomes a report, and the operator is cancelled. ``run`` returns what to tell the
    artist, or nothing.
    """

    bl_options: ClassVar = {"REGISTER", "UNDO"}

    def execute(self, context) -> set[str]:
        scene = versions.sequencer_scene(context)
        try:
            said = self.run(scene, chosen_strip(scene))
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if said:
            self.report({"INFO"}, said)
        return {"FINISHED"}


class OnTake(Reporting):
    """For the active take."""

    @classmethod
    def poll(cls, context) -> bool:
        scene = versions.sequencer_scene(context)
        if scene is not None and is_take(chosen_strip(scene)):
            return True
        cls.poll_message_set(words("Select a take in the sequencer"))
        return False


class OnFamily(Reporting):
    """For the active take, or the active strip that has takes."""

    @classmethod
    def poll(cls, context) -> bool:
        scene = versions.sequencer_scene(context)
        strip = chosen_strip(scene) if scene is not None else None
        if strip is not None and (is_take(strip) or ID in strip):  # drawn often, so no more
            return True
        cls.poll_message_set(words("Select a take, or a strip that has takes, in the sequencer"))
        return False
