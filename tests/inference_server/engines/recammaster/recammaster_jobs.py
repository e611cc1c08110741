"""Small clips, paths and jobs for the ReCamMaster engine with the miniature release."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from worlds import Frames, wide

from inference_server.cli.verify import MINIATURE
from inference_server.engines.base import Rendering
from inference_server.releases.layout import find_release
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Trajectory

RATE = Fraction(15)  # the one that the model was trained on: no remark
RELEASE = find_release(MINIATURE)


def pictures(frames: int, width: int = 64, height: int = 64, seed: int = 0) -> Frames:
    """Coloured blocks that move a pixel a frame."""
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    picture = blocks.astype(np.uint8).repeat(8, 0).repeat(8, 1)
    return Frames([np.roll(picture, n, 1)[:height, :width] for n in range(frames)], RATE)


def path_over(clip: Frames, name: str = "arc_right") -> Trajectory:
    """A preset for every frame of the clip, through a lens of 35 mm."""
    return make_move(name, clip.frames, clip.rate, wide(clip.width, clip.height))


def standing(path: Trajectory) -> Trajectory:
    """A source camera that stands still where the path begins."""
    return Trajectory.standing(path.poses[0], path.lenses[0], path.rate, len(path))


def differ(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference of uint8 pictures."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def render(
    engine,
    clip,
    on_progress=lambda *_: None,
    should_stop=lambda: False,
    cameras=None,
    pictures=None,
    **settings,
) -> list[tuple[np.ndarray, Rendering]]:
    """Every take's frames ``(F, H, W, 3)``, and what was said of it, remarks before the wait too.

    One step, clips below 81 frames as they are and no cuts, unless the settings say otherwise.
    cameras: source camera and path, by default ``standing`` and ``path_over``. pictures: a list
    that those for the artist go to.
    """
    path, said = path_over(clip), []

    def tell(step: int, steps: int, doing: str = "", remarks=(), picture=None) -> None:
        said.extend(remarks)
        if picture and pictures is not None:
            pictures.append(picture())
        on_progress(step, steps, doing)

    asked = {"steps": 1, "short": "public", "cuts": "ignore", **settings}
    if asked.get("quality") == "fast":
        del asked["steps"]
    given = clip, *(cameras or (standing(path), path)), asked, tell, should_stop
    takes = [(np.stack([*take.frames]), take) for take in engine.render(*given)]
    for _, take in takes:
        take.remarks = [*said, *take.remarks]
    return takes
