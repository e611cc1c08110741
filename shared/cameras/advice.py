"""What is wrong with a shot, in plain sentences and by frame, before anybody waits for it.

The bounds are those of the data set that the public weights were trained on (MultiCamVideo, as
its page describes it): in 81 frames a camera pans 5 to 45 degrees, tilts 5 to 30, goes a quarter
to the whole of the subject's distance, or 15 to 75 degrees round it, or stands; half of them at
constant speed, the others slowing down by a factor that is not told. Lenses stay as they are, and
there are no cuts. What the model makes of more is nowhere measured: beyond them is a risk, not an
error. Cuts in the picture are the server's to find, which decodes it; those told here are jumps
of a camera.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .lens import TOLERANCE, angle_of_view, beyond, shown
from .pose import inverse
from .presets import SUBJECT_DISTANCE
from .trajectory import Shot, Trajectory
from .twelve import FRAMES_PER_LATENT

PAN, TILT, ROUND = 45.0, 30.0, 75.0  # degrees
AWAY = 1.0  # times the subject's distance
LATENTS = 20  # steps of a trained clip
# What a trained arc, the quickest of all, goes in one latent, and as much again for those that
# begin faster than they end.
FASTEST_TURN = 2 * ROUND / LATENTS  # degrees
FASTEST_WAY = 2 * 2 * np.sin(np.radians(ROUND / 2)) / LATENTS  # times the subject's distance
# A jump goes further in one frame than may be gone in a latent, and many times as far as its
# neighbours; of a lens, by this factor.
TIMES_NEIGHBOURS, LENS_JUMP = 5.0, 1.1
# A start further from the reference than this is told: a tenth of the way to the subject, or half
# of the public presets' turns.
FAR_START, FAR_START_DEGREES = 0.1, 10.0
# A long clip is rendered in windows; each is told its path from the source camera at its start.
WINDOW, NEXT_WINDOW = 81, 60  # frames


@dataclass(frozen=True)
class Finding:
    """Something wrong. frames: ``(F,)`` bool, the clip's frames that it is about."""

    code: str
    sentence: str
    frames: np.ndarray


def findings(
    shot: Shot, first_frame: int = 0, every: int = 1, for_model: bool = True
) -> list[Finding]:
    """What is wrong with ``shot``, the worst first.

    first_frame: what the artist calls the clip's first frame. every: of how many frames the model
    sees one. for_model: False leaves out what only a trained model minds.

    Codes: ``behind`` (the subject is), ``wide`` (the lens shows more than the clip's), ``cut``
    (a camera jumps), and for a model ``start`` (the first pose is off the reference), ``far``,
    ``turned``, ``fast``.
    """
    source, target = shot.assumed_source_camera, shot.trajectory
    metres = shot.subject_distance
    cuts, jumps = (_jumps(camera, metres) for camera in (source, target))
    starts = _shot_starts(cuts)
    seen = relative_each(source.poses[_reference_frames(starts, every)], target.poses)
    told = [_behind(shot), _wide(source, target, starts), *_cuts(cuts, jumps)]
    if for_model:
        around = _round(seen, metres)
        told += [
            _start(seen, metres),
            _far(seen, metres, around),
            _turned(seen, metres, around),
            _fast(target, metres, jumps, FRAMES_PER_LATENT * every),
        ]
    return [
        Finding(code, sentence.format(at=_at(frames, first_frame)), frames)
        for code, sentence, frames in told
        if frames.any()
    ]


def far_start(first: np.ndarray, subject_distance: float = SUBJECT_DISTANCE) -> str:
    """A sentence if a path whose first pose, seen from its reference, is ``first`` starts far off.

    first: ``(3, 4)`` or ``(4, 4)``, metres. Empty where it starts near.
    """
    metres, degrees = float(np.linalg.norm(first[:3, 3])), float(_degrees(first[:3, :3]))
    if metres <= FAR_START * subject_distance and degrees <= FAR_START_DEGREES:
        return ""
    return (
        f"The path starts {_metres(metres)} (with the subject at {_metres(subject_distance)}) and "
        f"{degrees:.0f} degrees from where the clip was shot; the public model's paths start "
        "there, and what comes of it may be poor."
    )


def relative_each(references: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """``(F, 4, 4)``: each of ``poses`` seen from its own of ``references``."""
    return inverse(references) @ poses


Told = tuple[str, str, np.ndarray]


def _behind(shot: Shot) -> Told:
    subject = shot.reference_pose @ (0, 0, shot.subject_distance, 1)
    depth = (inverse(shot.trajectory.poses) @ subject)[:, 2]
    return "behind", "The subject is behind the camera {at}.", depth <= 0


def _wide(source: Trajectory, target: Trajectory, starts: np.ndarray) -> Told:
    has = source.lenses[starts]  # the model's picture shows what a shot's first frame does
    excess = beyond(shown(has, target.lenses))
    worst = int(excess.argmax())
    angles = [angle_of_view(lenses[worst])[0] for lenses in (target.lenses, has)]
    sees = f"it sees {angles[0]:.1f} degrees across, the clip {angles[1]:.1f}"
    if (target.lenses[worst, :2] >= (1 - TOLERANCE) * has[worst, :2]).all():
        sees = "it is shifted beyond the clip's edge"
    sentence = (
        f"The lens shows more than the clip's {{at}}: {sees}. What the clip does not show is not "
        "known: use a longer lens, or Wider Lens: Step Back."
    )
    return "wide", sentence, excess > TOLERANCE


def _cuts(cuts: np.ndarray, jumps: np.ndarray) -> list[Told]:
    return [
        (
            "cut",
            "The source camera jumps {at}: the clip has a cut there. Split the strip, and "
            "re-shoot each side by itself.",
            cuts,
        ),
        (
            "cut",
            "The camera jumps {at}, and the clip has no cut there that is known: no model was "
            "shown this. Split the strip there, or take out the jump (a marker may switch "
            "cameras).",
            jumps & ~cuts,
        ),
    ]


def _start(seen: np.ndarray, metres: float) -> Told:
    sentence = far_start(seen[0], metres)
    frames = np.arange(len(seen)) == 0
    return "start", sentence, frames & bool(sentence)


def _round(seen: np.ndarray, metres: float) -> np.ndarray:
    """``(F,)`` degrees round the subject."""
    away = seen[:, :3, 3] - (0, 0, metres)
    facing = -away[:, 2] / np.maximum(np.linalg.norm(away, axis=1), 1e-9)
    return np.degrees(np.arccos(np.clip(facing, -1, 1)))


def _far(seen: np.ndarray, metres: float, angle: np.ndarray) -> Told:
    away = np.linalg.norm(seen[:, :3, 3], axis=1) / metres
    # Round the subject, a camera may go as far as the chord of the angle.
    chord = 2 * np.sin(np.radians(np.minimum(angle, ROUND)) / 2)
    # A hair more is allowed, so that a move to the very bound is none beyond it.
    frames = (angle > ROUND + 0.5) | (away > 1.01 * np.maximum(AWAY, chord))
    sentence = (
        f"The camera is too far from where the clip was shot {{at}}: up to "
        f"{_metres((away * metres).max())}, {_most(angle, frames):.0f} degrees round the subject. "
        f"The model learned {_metres(AWAY * metres)}, and {ROUND:.0f} degrees round it. Make the "
        "move smaller."
    )
    return "far", sentence, frames


def _turned(seen: np.ndarray, metres: float, around: np.ndarray) -> Told:
    """Turned from the reference's direction, and from the subject's, which an arc turns to.

    An arc turns the camera about the vertical by more than it goes ``around``, if it looks down.
    """
    straight = _turns(seen[:, :3, 2])
    subject = _turns((0, 0, metres) - seen[:, :3, 3])
    across, up = np.minimum(np.abs(straight), np.abs(_wrapped(straight - subject))).T
    rotation = _degrees(seen[:, :3, :3])
    frames = (
        (across > PAN + 0.5)
        | (up > TILT + 0.5)
        | (rotation > np.maximum(ROUND, around + PAN) + 0.5)
    )
    sentence = (
        f"The camera is turned too far {{at}}: up to {_most(rotation, frames):.0f} degrees from "
        f"where the clip looks. The model learned pans of {PAN:.0f} degrees, tilts of {TILT:.0f} "
        f"and, round the subject, {ROUND:.0f}. Turn less."
    )
    return "turned", sentence, frames


def _fast(target: Trajectory, metres: float, jumps: np.ndarray, step: int) -> Told:
    if len(target) <= step:
        return "fast", "", np.zeros(len(target), bool)
    ways, turns, _ = _steps(target, metres, step)
    passed = np.cumsum(jumps)
    fast = ((ways > FASTEST_WAY) | (turns > FASTEST_TURN)) & (passed[step:] == passed[:-step])
    frames = np.convolve(fast, np.ones(step + 1)) > 0.5  # from where it starts to where it ends
    sentence = (
        f"The camera is too fast {{at}}: up to {_metres(_most(ways * metres, fast))} and "
        f"{_most(turns, fast):.1f} degrees in {step} frames, more than twice as fast as what the "
        f"model learned ({_metres(FASTEST_WAY * metres / 2)}, {FASTEST_TURN / 2:.1f} degrees). "
        "Slow it down."
    )
    return "fast", sentence, frames


def _steps(camera: Trajectory, metres: float, step: int) -> tuple[np.ndarray, ...]:
    """From each frame to the one ``step`` later: ways (of ``metres``), degrees, lens factors."""
    before, after = camera.poses[:-step], camera.poses[step:]
    ways = np.linalg.norm(after[:, :3, 3] - before[:, :3, 3], axis=1) / metres
    turns = _degrees(np.swapaxes(before[:, :3, :3], 1, 2) @ after[:, :3, :3])
    zooms = np.abs(np.log(camera.lenses[step:, 0] / camera.lenses[:-step, 0]))
    return ways, turns, zooms


def _jumps(camera: Trajectory, metres: float) -> np.ndarray:
    """``(F,)`` bool: frames that the camera, or its lens, jumped to."""
    jumps = np.zeros(len(camera), bool)
    if len(camera) < 3:
        return jumps
    bounds = FASTEST_WAY, FASTEST_TURN, np.log(LENS_JUMP)
    for steps, bound in zip(_steps(camera, metres, 1), bounds, strict=True):
        padded = np.pad(steps, 1)
        neighbours = np.maximum(padded[:-2], padded[2:])
        jumps[1:] |= (steps > bound) & (steps > TIMES_NEIGHBOURS * neighbours)
    return jumps


def _shot_starts(cuts: np.ndarray) -> np.ndarray:
    """``(F,)``: for each frame the first of its shot."""
    return np.maximum.accumulate(np.where(cuts, np.arange(len(cuts)), 0))


def _reference_frames(starts: np.ndarray, every: int) -> np.ndarray:
    """``(F,)``: the source camera's frame that each frame's path is told against."""
    frames = np.arange(len(starts))
    lengths = np.bincount(starts)[starts]
    later = (frames - starts) // (NEXT_WINDOW * every) * (NEXT_WINDOW * every)
    return starts + np.where(lengths > WINDOW * every, later, 0)


def _degrees(rotations: np.ndarray) -> np.ndarray:
    """Angles of rotations ``(..., 3, 3)``."""
    cosine = (np.trace(rotations, axis1=-2, axis2=-1) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _turns(directions: np.ndarray) -> np.ndarray:
    """``(F, 2)`` degrees: to the right and up, of directions ``(F, 3)``."""
    x, y, z = directions.T
    return np.degrees(np.stack([np.arctan2(x, z), np.arctan2(-y, np.hypot(x, z))], axis=1))


def _wrapped(degrees: np.ndarray) -> np.ndarray:
    return (degrees + 180) % 360 - 180


def _metres(value: float) -> str:
    return f"{value:.2g} m" if value < 0.1 else f"{round(value, 2):g} m"


def _most(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].max()) if where.any() else 0.0


def _at(frames: np.ndarray, first_frame: int) -> str:
    """``at frame 7``, ``at frames 3 to 9 and 20 to 24``."""
    edges = np.flatnonzero(np.diff(np.pad(frames.astype(int), 1)))
    runs = [(a + first_frame, b - 1 + first_frame) for a, b in edges.reshape(-1, 2)]
    if len(runs) == 1 and runs[0][0] == runs[0][1]:
        return f"at frame {runs[0][0]}"
    return "at frames " + listed(str(a) if a == b else f"{a} to {b}" for a, b in runs)


def listed(words: Iterable[str], most: int = 4) -> str:
    """``a, b and c``; beyond ``most``, ``a, b, c and 7 more``."""
    words = list(words)
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
