"""Strip to plate: the original file where nothing was changed, else rendered in the background."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import bpy

from .. import versions
from ..camera.sampling import frame_size, scene_rate
from ..scene import render_animation
from ..scene.background import Background
from ..scene.temporary_scene import rendering
from ..shared.errors import RecamError
from .check import check, keyed
from .layout import Rect, inside, picture_rect
from .render import rendered_rect, write_alone
from .strips import StripMark, animated, effects, file_of, find_strip, mark, placement_of, source_of
from .turned import turned


@dataclass(frozen=True)
class Plate:
    """A clip as files for sending.

    parts: movie files that follow one another. first, frames: the part of them that is the
    clip (``first`` is 0 for rendered plates). rate: frames per second. width, height: of the
    files' pictures. rect: where in the render frame the picture lies, at 100 %.
    original: whether the file is the strip's own. strip: whose plate this is. handles: how many
    of the frames come before, and how many after, those that the strip shows.
    """

    parts: list[Path]
    first: int
    frames: int
    rate: Fraction
    width: int
    height: int
    rect: Rect
    original: bool
    strip: StripMark = field(repr=False)
    handles: tuple[int, int] = (0, 0)


def clip_frames(strip: bpy.types.Strip, scene: bpy.types.Scene, handles: int = 0) -> range:
    """The scene's frames that the strip's plate holds.

    handles: so many frames more before and after those that the strip shows, as far as its
    source goes on there.
    """
    before, after = _handles(strip, scene, handles)
    return range(versions.first_frame(strip) - before, versions.end_frame(strip) + after)


def _handles(strip, scene, wanted: int) -> tuple[int, int]:
    before, after = (
        max(0, min(wanted, int(hidden)))
        for hidden in (versions.hidden_before(strip), versions.hidden_after(strip))
    )
    if keyed(strip, scene):  # and so bound to its frames, of which Blender renders none before 0
        before = min(before, versions.first_frame(strip))
    return before, after


def picture_part(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Rect:
    """The part of the render frame that the strip's plate shows, original or rendered."""
    if untouched(strip, scene):
        return picture_rect(placement_of(strip), frame_size(scene))
    return rendered_rect(strip, scene)


def untouched(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bool:
    """Whether the strip shows its file's own frames, so that the file itself can be sent.

    Trimming is no touch, nor is an even scale, as long as the whole picture lies in the frame.
    """
    if not looks_untouched(strip, scene):
        return False
    return versions.turns_movies() or not turned(file_of(strip))


def looks_untouched(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bool:
    """What can be told of ``untouched`` without a look at the file, which may take its time."""
    if strip.type != "MOVIE":
        return False
    placed = placement_of(strip)
    first = _first_frame(strip)
    render = scene.render
    return (
        placed.rotation == 0
        and placed.offset == (0, 0)
        and placed.crop == (0, 0, 0, 0)
        and placed.flip == (False, False)
        and min(placed.scale) > 0
        and abs(placed.scale[0] / placed.scale[1] - 1) < 1e-4
        and render.pixel_aspect_x == render.pixel_aspect_y
        and inside(picture_rect(placed, frame_size(scene)), frame_size(scene), placed.scale[0])
        # Not `strip.fps`: that opens the file at every look.
        and abs(strip.elements[0].orig_fps / float(scene_rate(scene)) - 1) < 1e-4
        and first >= 0
        and first + versions.duration(strip)
        <= versions.content_trim_start(strip) + versions.content_duration(strip)
        and versions.content_start(strip).is_integer()
        and not strip.retiming_keys
        and not strip.use_reverse_frames
        and strip.strobe <= 1
        and not strip.use_deinterlace
        and strip.stream_index == 0
        and strip.blend_alpha == 1
        and strip.blend_type in {"REPLACE", "ALPHA_OVER", "CROSS"}
        and strip.color_multiply == 1
        and strip.color_saturation == 1
        and not strip.modifiers
        and strip.colorspace_settings.name == scene.sequencer_colorspace_settings.name
        and not animated(strip, scene)
        and not effects(strip, scene)
    )


def original_plate(strip: bpy.types.Strip, scene: bpy.types.Scene, handles: int = 0) -> Plate:
    """The plate of an untouched strip: its file with in and out points; see ``clip_frames``."""
    check(strip, scene)
    element = strip.elements[0]
    before, after = _handles(strip, scene, handles)
    return Plate(
        parts=[file_of(strip)],
        first=_first_frame(strip) - before,
        frames=before + versions.duration(strip) + after,
        rate=scene_rate(scene),
        width=element.orig_width,
        height=element.orig_height,
        rect=picture_part(strip, scene),
        original=True,
        strip=mark(strip, scene),
        handles=(before, after),
    )


def _first_frame(strip) -> int:
    """The file's frame that the strip shows first."""
    skipped = versions.first_frame(strip) - int(versions.content_start(strip))
    return versions.content_trim_start(strip) + skipped


class PlateRenderer:
    """Renders a strip as the artist sees it now into a movie file, in another Blender.

    Only the strip (with the effects that show it alone), at full opacity, without Blender's
    tone mapping, cropped to ``picture_part``; see ``clip_frames`` for ``handles``. What becomes
    of the strip meanwhile does not matter. folder: for the movie; the job's own.
    Raises RecamError as ``check`` does, ``blender_busy`` and ``plate_colours``.
    """

    def __init__(
        self, strip: bpy.types.Strip, scene: bpy.types.Scene, folder: Path, handles: int = 0
    ) -> None:
        check(strip, scene)
        _refuse_while_rendering()
        rect, frames = rendered_rect(strip, scene), clip_frames(strip, scene, handles)
        self._plate = Plate(
            parts=[folder / "plate.mp4"],
            first=0,
            frames=len(frames),
            rate=scene_rate(scene),
            width=int(rect.width),
            height=int(rect.height),
            rect=rect,
            original=False,
            strip=mark(strip, scene),
            handles=_handles(strip, scene, handles),
        )
        self._work = folder / "rendering"
        movie, blend = self._plate.parts[0], self._work / "strip.blend"
        name = write_alone(scene, strip, rect, frames, movie, blend)
        script = Path(render_animation.__file__)
        self._background = Background(blend, script, {"scene": name, "movie": str(movie)})

    def look(self) -> float:
        """The share done, 1.0 at the end; takes no time.

        Raises RecamError ``strip_gone``, ``plate_render``.
        """
        strip = find_strip(self._plate.strip)
        try:
            share = self._background.look()
        except RecamError as error:
            raise RecamError(
                "plate_render",
                f"Blender could not render “{strip.name}”. {error.sentence}",
                "Check the free space on the disk, and start again.",
            ) from error
        if share == 1:
            shutil.rmtree(self._work, ignore_errors=True)
        return share

    def cancel(self) -> None:
        """Call it off and remove what was rendered, unless it is done."""
        self._background.cancel()
        if self._work.exists():
            self._plate.parts[0].unlink(missing_ok=True)
            shutil.rmtree(self._work, ignore_errors=True)

    def plate(self) -> Plate:
        """The plate, once ``look`` has returned 1.0."""
        return self._plate


def changed(strip: bpy.types.Strip) -> RecamError:
    """The error for a strip that no longer looks as it did when its re-shoot began."""
    return RecamError(
        "strip_changed", f"“{strip.name}” was changed while it was being read.", "Start again."
    )


def look(strip: bpy.types.Strip, scene: bpy.types.Scene) -> tuple:
    """What must stay as it is while a strip is being read, to be compared."""
    return (
        source_of(strip),
        versions.duration(strip),
        picture_part(strip, scene),
        frame_size(scene),
        scene_rate(scene),
        strip.color_multiply,
        strip.color_saturation,
        strip.use_reverse_frames,
        strip.strobe,
        tuple((modifier.type, modifier.mute) for modifier in strip.modifiers),
        tuple(key.timeline_frame for key in getattr(strip, "retiming_keys", ())),
    )


def _refuse_while_rendering() -> None:
    if rendering():
        raise RecamError(
            "blender_busy", "Blender is rendering.", "Wait until it is done, then start again."
        )
