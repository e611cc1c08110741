"""Which latents each pass of the model sees, for a shot of any length.

A latent holds 4 frames, the first of a shot one: latent i ends at frame 4 i, and the model is
given the camera's pose there. The model was trained on 21 latents (81 frames), with the source's
rotary positions 21 after the target's, so every window has 21. A window that starts later in the
shot would start on a latent of 4 frames where the model expects one of 1: an anchor, one frame
encoded by itself, is put in front for it and thrown away afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

WINDOW = 21  # latents
PER_LATENT = 4  # frames


@dataclass(frozen=True)
class Window:
    """One pass.

    slots: where its latents lie in the shot's row of latents (the anchors lie after the last).
    frames: the frame of the shot at which each latent ends; the first is the reference's.
    weights: of its prediction for each latent where windows overlap, not yet normalised.
    """

    slots: tuple[int, ...]
    frames: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """The windows of one shot.

    latents: how many the shot has, after holding its last frame.
    anchors: the frame of the shot that each anchor is made of; anchor k lies in slot latents + k.
    """

    latents: int
    anchors: tuple[int, ...]
    windows: tuple[Window, ...]

    @property
    def frames(self) -> int:
        """Frames that the latents decode to: the shot's, and its last one held for the rest."""
        return PER_LATENT * (self.latents - 1) + 1

    @property
    def slots(self) -> int:
        """Latents and anchors together."""
        return self.latents + len(self.anchors)


def plan_windows(
    frames: int, overlap: int = 5, anchor: bool = True, hold_short: bool = True
) -> Plan:
    """The windows for a shot of ``frames`` frames, neighbours sharing ``overlap`` latents.

    hold_short: a shot below 81 frames is held to 81, as the model was trained; else it gets one
    window of its own length, as in the public code, which rounds to 4 k + 1 frames.
    """
    needed = 1 + -(-(frames - 1) // PER_LATENT)
    if needed <= WINDOW:
        latents = WINDOW if hold_short else needed
        return Plan(latents, (), (_window(0, latents, 0, 0, None),))
    spans = _spans(needed, WINDOW - anchor, overlap)
    anchors, windows = [], []
    for number, (start, end) in enumerate(spans):
        before = spans[number - 1][1] - start if number else 0
        after = end - spans[number + 1][0] if number + 1 < len(spans) else 0
        slot = None
        if anchor and start:
            slot = needed + len(anchors)
            anchors.append(PER_LATENT * (start - 1))
        windows.append(_window(start, end - start, before, after, slot))
    return Plan(needed, tuple(anchors), tuple(windows))


def _spans(latents: int, later: int, overlap: int) -> list[tuple[int, int]]:
    """First and end of every window; all but the first take ``later`` latents of the row."""
    spans = [(0, WINDOW)]
    while (end := spans[-1][1]) < latents:
        start = min(end - overlap, latents - later)
        spans.append((start, start + later))
    return spans


def _window(start: int, count: int, before: int, after: int, anchor: int | None) -> Window:
    """``before``, ``after``: latents shared with the neighbours, over which weights ramp."""
    weights = [min(1.0, (k + 1) / (before + 1), (count - k) / (after + 1)) for k in range(count)]
    slots, first = list(range(start, start + count)), start
    if anchor is not None:
        slots, weights, first = [anchor, *slots], [1.0, *weights], start - 1
    ends = tuple(PER_LATENT * (first + k) for k in range(len(slots)))
    return Window(tuple(slots), ends, tuple(weights))
