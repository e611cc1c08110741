"""The take's lens: the model knows none, so a longer one is a crop of its picture, exactly.

Two cameras at one place with the same axes differ by a scale and a shift of the picture,
K_target K_source^-1 (Hartley and Zisserman, Multiple View Geometry, section 8.4): the point u of
the target's picture is the point ``c_s + (u - c_t) f_s / f_t`` of the source's, along each axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shared.cameras.lens import TOLERANCE, angle_of_view, beyond, shown
from shared.cameras.pose import pose
from shared.errors import RecamError


@dataclass(frozen=True)
class LensPlan:
    """What a clip's lenses make of the picture and of the path.

    crops: ``(F, 4)`` float64, (left, top, width, height) of what each frame shows, in fractions
    of the clip's frame. poses: ``(F, 4, 4)`` float64, where the model's camera stands.
    remarks: sentences for the artist.
    """

    crops: np.ndarray
    poses: np.ndarray
    remarks: tuple[str, ...]


def plan_lens(
    source_lenses: np.ndarray,
    target_lenses: np.ndarray,
    mode: Literal["refuse", "outpaint"],
    subject_distance: float,
    poses: np.ndarray,
    reference: np.ndarray | None = None,
) -> LensPlan:
    """Crops and poses for the trajectory's lenses.

    source_lenses: ``(F, 4)``, what the model's picture shows at each frame: the source camera's
    lens at the reference of the window. target_lenses: ``(F, 4)``. poses: ``(F, 4, 4)``, the
    trajectory's. reference: ``(4, 4)``, the pose that has the subject ``subject_distance``
    metres straight ahead; by default the first of ``poses``.

    A lens that would show more than the picture is refused (RecamError ``lens``), or with
    ``outpaint`` the model's camera stands so far back along its axis that the picture shows as
    much at the subject's distance d: for a centred lens ``d (f_source / f_target - 1)``.
    """
    source, target = np.asarray(source_lenses, float), np.asarray(target_lenses, float)
    back = np.ones(len(poses))
    wide = beyond(_crops(source, target, back)) > TOLERANCE
    remarks = []
    if wide.any():
        if mode == "refuse":
            raise _too_wide(source, target, wide)
        back = _times_back(source, target, wide)
    crops = _crops(source, target, back)
    distances = _subject_distances(poses, subject_distance, reference)
    steps = distances * (back - 1)
    if wide.any():
        remarks.append(
            f"At {_frames(wide)} the trajectory's lens shows more than the clip's; the model's "
            f"camera steps back by up to {steps.max():.3g} m instead, so that the picture shows "
            f"as much at the subject, {distances[steps.argmax()]:.3g} m away. What is nearer or "
            "farther has another perspective."
        )
    if (longest := (1 / crops[:, 2:]).max()) > 1 + 4 * TOLERANCE:
        remarks.append(
            "The trajectory's lens is longer than the clip's: the take is cut out of the model's "
            f"picture, up to {longest:.3g} times enlarged."
        )
    placed = np.array(
        [p @ pose(position=(0, 0, -step)) for p, step in zip(poses, steps, strict=True)]
    )
    return LensPlan(_drawn_in(crops), placed, tuple(remarks))


def _crops(source: np.ndarray, target: np.ndarray, back: np.ndarray) -> np.ndarray:
    """``(F, 4)``; back: ``(F,)``, how many times as far away the model's camera stands."""
    return shown(np.hstack([source[:, :2] / back[:, None], source[:, 2:]]), target)


def _drawn_in(crops: np.ndarray) -> np.ndarray:
    start = np.clip(crops[:, :2], 0, 1)
    return np.hstack([start, np.clip(crops[:, :2] + crops[:, 2:], 0, 1) - start])


def _times_back(source: np.ndarray, target: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """``(F,)``: how many times the subject's distance brings each side into the picture."""
    axis = source[:, 2:]
    if ((axis <= 0) | (axis >= 1))[wide].any():
        raise RecamError(
            "lens",
            f"At {_frames(wide)} the trajectory's lens shows more than the clip's, whose axis "
            "lies outside its picture: stepping back does not help.",
            "Use a longer lens, or a source camera with less shift.",
        )
    size = source[:, :2] / target[:, :2]
    sides = np.hstack([size * target[:, 2:] / axis, size * (1 - target[:, 2:]) / (1 - axis)])
    return np.where(wide, sides.max(axis=1), 1.0)


def _subject_distances(poses, subject_distance: float, reference) -> np.ndarray:
    reference = poses[0] if reference is None else reference
    subject = reference[:3, 3] + subject_distance * reference[:3, 2]
    return np.linalg.norm(poses[:, :3, 3] - subject, axis=1)


def _too_wide(source: np.ndarray, target: np.ndarray, wide: np.ndarray) -> RecamError:
    worst = int(np.argmax(beyond(_crops(source, target, np.ones(len(source))))))
    sees, has = (_angles(lens[worst]) for lens in (target, source))
    # Seen by the angles alone, a shift looks like nothing.
    shift = " and is shifted" if np.abs(target[worst, 2:] - source[worst, 2:]).max() > 1e-3 else ""
    return RecamError(
        "lens",
        f"At {_frames(wide)} the trajectory's lens shows more than the clip's: at frame {worst} it "
        f"sees {sees}{shift}, the clip {has}. The model has no lens of its own and shows what "
        "the clip's shows.",
        "Use a longer lens, or let the model's camera step back instead (lens: outpaint).",
    )


def _angles(lens: np.ndarray) -> str:
    return "{:.1f} x {:.1f} degrees".format(*angle_of_view(lens))


def _frames(wide: np.ndarray) -> str:
    first, last = np.flatnonzero(wide)[[0, -1]]
    return f"frame {first}" if first == last else f"frames {first} to {last}"
