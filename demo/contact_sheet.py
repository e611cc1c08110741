"""Source above, re-shot below, the camera's path beside them: one picture."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from inference_server.video.reader import Reader
from shared.cameras.pose import relative
from shared.cameras.recam_json import read_shot
from shared.cameras.trajectory import Shot

PICTURES = 4
INK, QUIET, SOURCE, TARGET = "#e8e6e3", "#8d8a86", "#7a9cc6", "#f0a04b"


def write_contact_sheet(clip: Path, first: int, take: Path, camera: Path, out: Path) -> None:
    """Draw ``PICTURES`` frames of the clip from ``first`` on over the same frames of the take."""
    shot = read_shot(camera)
    count = len(shot.trajectory)
    numbers = np.linspace(0, count - 1, PICTURES).round().astype(int)
    rows = [_pick(Reader(clip, first, count), numbers), _pick(Reader(take), numbers)]
    height, width = rows[0][0].shape[:2]
    figure = plt.figure(figsize=(16, 0.6 + 5.6 * height / width), facecolor="#1d1d1d")
    grid = figure.add_gridspec(
        2, PICTURES + 1, width_ratios=[1] * PICTURES + [0.95],
        left=0.03, right=0.965, top=0.92, bottom=0.03, wspace=0.03, hspace=0.03,
    )  # fmt: skip
    for row, (pictures, words) in enumerate(zip(rows, ("source", "re-shot"), strict=True)):
        for column, picture in enumerate(pictures):
            axes = figure.add_subplot(grid[row, column])
            axes.imshow(picture, aspect="equal", interpolation="lanczos")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if row == 0:
                seconds = numbers[column] / float(shot.trajectory.rate)
                axes.set_title(f"{seconds:.1f} s", color=QUIET, fontsize=11)
            if column == 0:
                axes.set_ylabel(words, color=INK, fontsize=13)
    _draw_path(figure.add_subplot(grid[:, -1]), shot)
    figure.savefig(out, dpi=100, facecolor=figure.get_facecolor())
    plt.close(figure)


def _pick(clip: Reader, numbers: np.ndarray) -> list[np.ndarray]:
    wanted = set(numbers.tolist())
    frames = islice(enumerate(clip), int(numbers[-1]) + 1)
    return [frame.copy() for index, frame in frames if index in wanted]


def _draw_path(axes, shot: Shot) -> None:
    """The path from above: right is right, up is forward; metres."""
    poses = relative(shot.reference_pose, shot.trajectory.poses)
    x, z = poses[:, 0, 3], poses[:, 2, 3]
    reach = shot.subject_distance
    axes.set_facecolor("#262626")
    axes.plot(x, z, color=TARGET, linewidth=2.5)
    for index in np.linspace(0, len(poses) - 1, PICTURES).round().astype(int):
        _frustum(axes, poses[index], shot.trajectory.lenses[index], 0.16 * reach, TARGET)
    _frustum(axes, np.eye(4), shot.trajectory.lenses[0], reach, SOURCE, alpha=0.5)
    axes.plot(0, reach, marker="x", color=INK, markersize=8)
    axes.annotate("subject", (0, reach), (6, 4), textcoords="offset points", color=INK)
    axes.set_title("the camera from above, metres", color=QUIET, fontsize=11)
    axes.tick_params(colors=QUIET, labelsize=9, labelbottom=False, bottom=False)
    axes.spines[:].set_color("#3a3a3a")
    axes.yaxis.tick_right()
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)


def _frustum(axes, pose: np.ndarray, lens: np.ndarray, length: float, colour, alpha=1.0) -> None:
    corners = [((side - lens[2]) / lens[0] * length, 0.0, length, 1.0) for side in (0.0, 1.0)]
    points = np.array([pose[:, 3], *(pose @ corner for corner in corners), pose[:, 3]])
    axes.plot(points[:, 0], points[:, 2], color=colour, linewidth=1.2, alpha=alpha)
