"""The moves an artist can choose from, in one table: names, words, parameters, paths.

The add-on's panel and the command's ``--camera`` are both made from ``MOVES``. The public presets
are in it with a strength that is 1 as the model was shown them; they and all others scale with
the subject's distance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import RecamError
from .handheld import handheld
from .pose import look_at, pose
from .presets import (
    LAST_PARAMETER,
    LEVEL,
    PRESETS,
    SUBJECT_DISTANCE,
    circle,
    distance_of,
    word_of,
)
from .trajectory import Trajectory, check_frames
from .uses import stabilised

# A camera whose line of sight is nearer to the vertical than this sine has no level.
STEEP = 0.05

# Pose (4, 4) at s in 0..1, seen from the first, with the subject at (0, 0, 4).
Path = Callable[[float], np.ndarray]


@dataclass(frozen=True)
class Parameter:
    """Something about a move that can be set.

    kind: ``factor``; ``share`` (of the subject's distance, 1 is all of it), ``degrees``,
    ``seconds``, ``hertz``, or ``whole`` (a whole number).
    """

    name: str
    title: str
    about: str
    kind: str
    default: float
    least: float
    most: float


@dataclass(frozen=True)
class Move:
    """A move. sparse: a few keyframes can hold it.

    path: of its parameters' values, its length in seconds, and what is up, seen from the first
    pose; None where the move is made of the source camera's.
    """

    name: str
    title: str
    about: str
    parameters: tuple[Parameter, ...]
    path: Callable[[Mapping[str, float], float, np.ndarray], Path] | None
    sparse: bool = True

    def values(self, given: Mapping[str, float]) -> dict[str, float]:
        """A value for each parameter, the default where none is given.

        Raises RecamError ``move_parameter`` for one that there is not, or out of its bounds.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                names = ", ".join(known) or "nothing"
                raise RecamError(
                    "move_parameter",
                    f"The move {self.name} has no {name!r}.",
                    f"What can be set is {names}.",
                )
        result = {name: given.get(name, each.default) for name, each in known.items()}
        for name, value in result.items():
            each = known[name]
            broken = each.kind == "whole" and value % 1
            if broken or not each.least <= value <= each.most:  # which NaN never is
                shares = " times the subject's distance" if each.kind == "share" else ""
                raise RecamError(
                    "move_parameter",
                    f"The move {self.name} cannot have {name} = {value:g}{shares}.",
                    f"Give {'a whole number ' * (each.kind == 'whole')}between {each.least:g} and "
                    f"{each.most:g}.",
                )
        return result


STRENGTH = Parameter(
    "strength",
    "Strength",
    "How far the move goes; 1 is as the model was shown it",
    "factor",
    1.0,
    0.0,
    4.0,
)
DISTANCE = Parameter(
    "distance",
    "Distance",
    "How far to go, of the subject's distance; negative goes back",
    "share",
    0.5,
    -10.0,
    10.0,
)
HEIGHT = Parameter(
    "height",
    "Height",
    "How far to rise, of the subject's distance; negative sinks",
    "share",
    0.25,
    -10.0,
    10.0,
)
ANGLE = Parameter(
    "angle",
    "Angle",
    "How far round the subject; positive moves the camera to its right",
    "degrees",
    30.0,
    -720.0,
    720.0,
)
SWAY = Parameter(
    "sway",
    "Sway",
    "How far the camera sways about its place, of the subject's distance",
    "share",
    0.005,
    0.0,
    0.5,
)
TURN = Parameter(
    "turn", "Turn", "How far the camera turns about its direction", "degrees", 0.5, 0.0, 20.0
)
QUICKNESS = Parameter(
    "quickness",
    "Quickness",
    "The quickest shaking there is, in times a second",
    "hertz",
    2.0,
    0.3,
    12.0,
)
SEED = Parameter(
    "seed", "Seed", "Which shaking: another seed, another hand", "whole", 0, 0, 2**31 - 1
)
STEADY = Parameter(
    "seconds", "Seconds", "Shake that takes less time than this is gone", "seconds", 1.0, 0.05, 60.0
)
EASE = (
    Parameter(
        "ease_in",
        "Ease In",
        "How gently the move begins; 0 is at full speed at once",
        "factor",
        0.0,
        0.0,
        1.0,
    ),
    Parameter(
        "ease_out", "Ease Out", "How gently the move ends; 0 stops at once", "factor", 0.0, 0.0, 1.0
    ),
)


def eased(s: float, ease_in: float, ease_out: float) -> float:
    """How far a move is at the share ``s`` of its time, both 0..1; eases 0..1, 0 is linear.

    The cubic whose speed at the ends is 1 - ease: what a Bezier keyframe with handles of a third
    of the time draws.
    """
    return s + s * (1 - s) * (ease_out * s - ease_in * (1 - s))


def _with_ease(path_of: Callable[[Mapping[str, float], np.ndarray], Path]):
    def made(values: Mapping[str, float], seconds: float, up: np.ndarray) -> Path:
        path = path_of(values, up)
        return lambda s: path(eased(s, values["ease_in"], values["ease_out"]))

    return made


def _moving(name: str, title: str, about: str, parameter: Parameter, path_of) -> Move:
    return Move(name, title, about, (parameter, *EASE), _with_ease(path_of))


def _preset(name: str, about: str) -> Move:
    def path_of(values: Mapping[str, float], up: np.ndarray) -> Path:
        return lambda s: PRESETS[name](s * values["strength"] * LAST_PARAMETER)

    return _moving(name, name.replace("_", " ").title(), about, STRENGTH, path_of)


def _crane(values: Mapping[str, float], up: np.ndarray) -> Path:
    if np.linalg.norm(up[:2]) < STEEP:  # up and down are to the subject and away from it
        up = np.array(LEVEL)
    subject, rise = (0, 0, SUBJECT_DISTANCE), SUBJECT_DISTANCE * values["height"] * up
    first = look_at((0, 0, 0), subject, -up)[:3, :3]

    def at(s: float) -> np.ndarray:
        facing = look_at(s * rise, subject, -up)
        facing[:3, :3] = facing[:3, :3] @ first.T  # as much rolled as at first
        return facing

    return at


def _dolly(values: Mapping[str, float], up: np.ndarray) -> Path:
    metres = SUBJECT_DISTANCE * values["distance"]
    return lambda s: pose(position=(0, 0, metres * s))


def _handheld(values: Mapping[str, float], seconds: float, up: np.ndarray) -> Path:
    metres = SUBJECT_DISTANCE * values["sway"]
    shaken = handheld(metres, values["turn"], values["quickness"], int(values["seed"]))
    return lambda s: shaken(s * seconds)


_PRESETS = {
    "pan_right": "Turn to the right by 20 degrees",
    "pan_left": "Turn to the left by 20 degrees",
    "tilt_up": "Turn up by 10 degrees",
    "tilt_down": "Turn down by 10 degrees",
    "zoom_in": "Drive half the way to the subject; the lens stays",
    "zoom_out": "Drive back by half the subject's distance; the lens stays",
    "translate_up": "Rise by a quarter of the subject's distance, facing the subject",
    "translate_down": "Sink by a quarter of the subject's distance, facing the subject",
    "arc_left": "Go 30 degrees round the subject to the left, on a straight line, facing it",
    "arc_right": "Go 30 degrees round the subject to the right, on a straight line, facing it",
}

MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        *(_preset(name, _PRESETS[name]) for name in PRESETS),
        Move("static", "Static", "Stand still", (), lambda *_: lambda s: np.eye(4)),
        _moving("dolly", "Dolly", "Drive along the line of sight", DISTANCE, _dolly),
        _moving(
            "orbit",
            "Orbit",
            "Circle round the subject, which stays in the middle of the picture",
            ANGLE,
            lambda values, up: circle(values["angle"], up),
        ),
        _moving("crane", "Crane", "Rise or sink, facing the subject", HEIGHT, _crane),
        Move(
            "handheld",
            "Handheld",
            "Stand as if held by hand: a smooth, small shaking that never drifts away",
            (SWAY, TURN, QUICKNESS, SEED),
            _handheld,
            sparse=False,
        ),
        Move(
            "smooth",
            "Smooth the Source's Move",
            "Go where the camera that shot the clip went, without its shake",
            (STEADY,),
            None,
            sparse=False,
        ),
    )
}


def find_move(name: str | int) -> Move:
    """The move of that name, or the public preset of that number 1 to 10.

    Raises RecamError ``camera_preset``, which lists the moves there are.
    """
    word = word_of(name)
    if word not in MOVES:
        names = ", ".join(f"{key} ({number})" for number, key in enumerate(PRESETS, 1))
        others = ", ".join(key for key in MOVES if key not in PRESETS)
        raise RecamError(
            "camera_preset",
            f"There is no camera move {str(name)!r}.",
            f"Choose one of {names}, {others}.",
        )
    return MOVES[word]


def make_move(
    name: str | int,
    frames: int,
    rate: Fraction,
    lens: np.ndarray,
    start: np.ndarray | None = None,
    subject_distance: float = SUBJECT_DISTANCE,
    values: Mapping[str, float] | None = None,
    source_camera: Trajectory | None = None,
    up: np.ndarray | None = None,
) -> Trajectory:
    """A move over ``frames`` frames at ``rate`` frames a second.

    lens: ``(4,)``. start: first pose ``(4, 4)``, by default the identity; the subject is
    ``subject_distance`` metres straight ahead of it. values: of the move's parameters, by name.
    source_camera: what ``smooth`` smooths; it brings its own frames, rate, lenses and first pose.
    up: ``(3,)``, the direction away from the ground, of length 1, for orbit and crane; by default
    that of the first picture. The public presets know no ground.

    Raises RecamError ``camera_preset`` (no such move), ``move_parameter``, ``move_source`` (no
    source camera to smooth), ``camera_frames``, ``subject_distance``.
    """
    move = find_move(name)
    chosen = move.values(values or {})
    if move.path is None:
        if source_camera is None:
            raise RecamError(
                "move_source",
                "There is no source camera whose move could be smoothed.",
                "Give the camera that shot the clip, such as a solve of it.",
            )
        return stabilised(source_camera, chosen["seconds"])
    scale = distance_of(subject_distance) / SUBJECT_DISTANCE
    last = max(1, check_frames(frames) - 1)
    up = (
        np.array(LEVEL)
        if up is None
        else np.asarray(up) @ (np.eye(3) if start is None else start[:3, :3])
    )
    path = move.path(chosen, last / float(rate), up)
    poses = np.array([path(i / last) for i in range(frames)])
    poses[:, :3, 3] *= scale
    return Trajectory(poses if start is None else start @ poses, lens, rate)
