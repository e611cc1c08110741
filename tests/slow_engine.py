"""A copy of the code whose projection engine makes as many takes as it is asked for.

It takes its time before the first frame of each, and makes each take brighter than the last; it
says ``REMARK`` early. Loads in Blender's Python too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

REMARK = "This engine is slow."

ENGINE = (
    f"""
REMARK = {REMARK!r}
"""
    + """

class Slow(ProjectionEngine):
    settings = ProjectionEngine.settings | {"takes", "start_clip", "start", "denoising_strength"}

    def render(self, clip, source, path, settings, on_progress, should_stop):
        import time

        for number in range(settings.get("takes", 1)):
            on_progress(0, 0, "looking around")
            on_progress(0, 0, "loading the weights")  # said once …
            on_progress(0, clip.frames, "loading the weights", [REMARK])  # … then nothing
            for _ in range(30):
                if should_stop():
                    raise Cancelled
                time.sleep(0.01)
            shown = settings.get("start_clip", clip)
            take = Rendering(clip.width, clip.height, iter(()), {"seed": number})
            take.frames = self._frames(shown, number, on_progress)
            yield take

    def _frames(self, clip, number, on_progress):
        for index, frame in enumerate(clip):
            on_progress(index + 1, clip.frames, f"writing take {number + 1}")
            yield frame // 2 + np.uint8(40 * number)


ProjectionEngine = Slow
"""
)


def copy_code(folder: Path) -> Path:
    """Make the copy in ``folder``, to start a server from."""
    for package in ("inference_server", "shared"):
        ignored = shutil.ignore_patterns("__pycache__", "miniature")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    with (folder / "inference_server/engines/projection/engine.py").open("a") as file:
        file.write(ENGINE)
    return folder
