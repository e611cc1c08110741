"""How far a re-shoot is, in words for the artist. Knows nothing of Blender."""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "camera": "Reading the camera",
    "plate": "Rendering the plate",
    "connecting": "Connecting",
    "uploading": "Sending the clip",
    "queued": "Waiting in the queue",
    "rendering": "Rendering",
    "cancelling": "Cancelling",
    "downloading": "Fetching the take",
    "placing": "Laying the take",
    "finished": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
UNSENT = ("camera", "plate")
WAITING = ("connecting", "uploading", "queued", "rendering", "cancelling", "downloading")
ENDED = ("finished", "failed", "cancelled")


@dataclass(frozen=True)
class Stand:
    """How far a re-shoot is. share: 0 to 1 of the stage, or None; seconds_left may be None.

    doing: what the engine does while it renders, or empty; share and seconds are then of that.
    ahead: how many jobs wait before it, in the queue. trouble: why it does not go on, or empty.
    """

    stage: str
    share: float | None = None
    seconds_left: float | None = None
    doing: str = ""
    ahead: int = 0
    trouble: str = ""

    @property
    def words(self) -> str:
        """The stage, or what the engine does, in words."""
        return self.doing[:1].upper() + self.doing[1:] or WORDS[self.stage]

    @property
    def time_left(self) -> str:
        """Minutes and seconds, or empty where they are not known."""
        if self.seconds_left is None:
            return ""
        minutes, seconds = divmod(round(self.seconds_left), 60)
        return f"{minutes}:{seconds:02}"
