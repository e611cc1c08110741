"""In the background Blender: render a scene of the file, frame by frame, as it is set up.

A plain file that knows nothing of the add-on.
"""

from __future__ import annotations

import bpy


def main(arguments: dict, tell) -> None:
    """Render the scene called ``arguments["scene"]``.

    ``arguments["movie"]``, if given, is the movie file that this is to make; that it holds every
    frame is looked after. Raises RuntimeError as Blender does, or if frames are missing.
    """
    scene = bpy.data.scenes[arguments["scene"]]
    wanted = scene.frame_end - scene.frame_start + 1
    written = 0

    def count(*_) -> None:
        nonlocal written
        written += 1
        tell(written / wanted)

    bpy.app.handlers.render_write.append(count)
    bpy.ops.render.render(animation=True, scene=scene.name)
    movie = arguments.get("movie")
    if movie:
        clip = bpy.data.movieclips.load(movie)
        written = clip.frame_duration if clip.size[0] else 0
    if written != wanted:
        raise RuntimeError(f"{written} of {wanted} frames were written.")
