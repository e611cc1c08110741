"""Where in the sequencer there is room."""

from __future__ import annotations

from .. import versions
from ..shared.errors import RecamError

CHANNELS = 128


def free_channel(editor, above: int, start: int, end: int) -> int:
    """The next channel above that is free in these frames, not muted and not locked.

    Raises RecamError ``take_channels``.
    """
    taken = {
        s.channel
        for s in versions.strips(editor)
        if versions.first_frame(s) < end and versions.end_frame(s) > start
    }
    for channel in range(above + 1, CHANNELS + 1):
        shown = not (editor.channels[channel].mute or editor.channels[channel].lock)
        if channel not in taken and shown:
            return channel
    raise RecamError(
        "take_channels",
        f"There is no free channel above channel {above} from frame {start} to {end - 1}.",
        "Move some strips, or unmute and unlock a channel.",
    )
