"""Small pictures of what the server renders, as icons for the panel."""

from __future__ import annotations

import bpy
import bpy.utils.previews
import numpy as np

LONGEST = 160  # pixels of the longer side: a panel shows no more

_previews: bpy.utils.previews.ImagePreviewCollection | None = None
_shown: dict[str, np.ndarray] = {}


def show(job: str, picture: np.ndarray | None) -> None:
    """Let the job's icon be this picture, ``(h, w, 3)`` uint8 RGB, its first row the uppermost.

    None leaves it as it is; so does the picture that it shows already.
    """
    if picture is None or _previews is None or _shown.get(job) is picture:
        return
    _shown[job] = picture
    step = -(-max(picture.shape[:2]) // LONGEST)
    small = picture[::step, ::step]
    pixels = np.full((*small.shape[:2], 4), 255, np.uint8)
    pixels[..., :3] = small[::-1]  # Blender counts rows from below
    preview = _previews[job] if job in _previews else _previews.new(job)
    preview.image_size = small.shape[1], small.shape[0]
    preview.image_pixels.foreach_set(pixels.reshape(-1, 4).view(np.int32).ravel())


def preview(job: str) -> bpy.types.ImagePreview | None:
    """The job's picture, if it has one."""
    return _previews[job] if _previews is not None and job in _previews else None


def icon(job: str) -> int:
    """The number of the job's icon for ``layout.template_icon``; 0 where it has no picture."""
    shown = preview(job)
    return shown.icon_id if shown else 0


def forget(job: str) -> None:
    """Free the job's picture."""
    if _shown.pop(job, None) is not None and _previews is not None:
        del _previews[job]


def register() -> None:
    global _previews
    _previews = bpy.utils.previews.new()


def unregister() -> None:
    global _previews
    bpy.utils.previews.remove(_previews)
    _previews = None
    _shown.clear()
