"""Strip to plate: the original file where nothing was changed, else rendered in slices."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import bpy

from .. import versions
from ..camera.sampling import frame_size, scene_rate
from ..scene.blocks import find
from ..shared.errors import RecamError
from .layout import Rect, inside, picture_rect, visible_rect, whole_frame
from .render import render_part
from .strips import StripMark, animated, effects, file_of, find_strip, mark, placement_of

# A slice costs its opening (the file, the encoder) and its frames. The first slice is one frame,
# nearly all opening; later ones last at least this many times as long, so that frames prevail.
OPENINGS = 5


@dataclass(frozen=True)
class Plate:
    """A clip as files for sending.

    parts: movie files that follow one another. first, frames: the part of them that is the
    clip (``first`` is 0 for rendered plates). rate: frames per second. width, height: of the
    files' pictures. rect: where in the render frame the picture lies, at 100 %.
    original: whether the file is the strip's own. strip: whose plate this is.
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


def check(strip: bpy.types.Strip | None, scene: bpy.types.Scene) -> None:
    """Raise RecamError in words if this strip can give no plate: codes ``strip_*``."""
    if strip is None:
        raise RecamError(
            "strip_none", "No strip is selected.", "Select a movie strip in the sequencer."
        )
    if strip.type != "MOVIE":
        raise RecamError(
            "strip_kind",
            f"“{strip.name}” is a {strip.type.lower().replace('_', ' ')} strip.",
            "Recam re-shoots movie strips: select one, or render this one to a movie first.",
        )
    if strip.parent_meta() is not None:
        raise RecamError(
            "strip_meta",
            f"“{strip.name}” lies inside the meta strip “{strip.parent_meta().name}”.",
            "Separate the meta strip first (Strip > Separate Meta).",
        )
    path = file_of(strip)
    if not path.is_file():
        raise RecamError(
            "strip_file",
            f"The file of “{strip.name}” is missing: {path}",
            "Put it back, or point the strip at its new place.",
        )
    if not (
        strip.elements and strip.elements[0].orig_width and versions.content_duration(strip) > 0
    ):
        raise RecamError(
            "strip_file",
            f"Blender cannot read a picture from the file of “{strip.name}”: {path}",
            "Reload the strip, or convert the file with another program.",
        )
    rect = rendered_rect(strip, scene)
    if not (rect.width and rect.height):
        raise RecamError(
            "strip_hidden",
            f"Nothing of “{strip.name}” lies inside the render frame.",
            "Move, scale or uncrop it so that the clip is seen.",
        )


def picture_part(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Rect:
    """The part of the render frame that the strip's plate shows, original or rendered."""
    if untouched(strip, scene):
        return picture_rect(placement_of(strip), frame_size(scene))
    return rendered_rect(strip, scene)


def rendered_rect(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Rect:
    """What a rendered plate shows: the visible rectangle in whole, even pixels.

    It is the whole frame where the strip moves, or where effects may paint outside it.
    """
    frame = frame_size(scene)
    if effects(strip, scene) or animated(strip, scene) & {"transform", "crop", "use_flip"}:
        return whole_frame(frame)
    return visible_rect(placement_of(strip), frame)


def untouched(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bool:
    """Whether the strip shows its file's own frames, so that the file itself can be sent.

    Trimming is no touch, nor is an even scale, as long as the whole picture lies in the frame.
    """
    placed = placement_of(strip)
    first = _first_frame(strip)
    render = scene.render
    return (
        placed.rotation == 0
        and placed.offset == (0, 0)
        and placed.crop == (0, 0, 0, 0)
        and placed.flip == (False, False)
        and placed.scale[0] > 0
        and abs(placed.scale[0] / placed.scale[1] - 1) < 1e-4
        and render.pixel_aspect_x == render.pixel_aspect_y
        and inside(picture_rect(placed, frame_size(scene)), frame_size(scene), placed.scale[0])
        and abs(strip.fps / float(scene_rate(scene)) - 1) < 1e-4
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


def original_plate(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Plate:
    """The plate of an untouched strip: its file with in and out points."""
    check(strip, scene)
    element = strip.elements[0]
    return Plate(
        parts=[file_of(strip)],
        first=_first_frame(strip),
        frames=versions.duration(strip),
        rate=scene_rate(scene),
        width=element.orig_width,
        height=element.orig_height,
        rect=picture_part(strip, scene),
        original=True,
        strip=mark(strip, scene),
    )


def _first_frame(strip) -> int:
    """The file's frame that the strip shows first."""
    skipped = versions.first_frame(strip) - int(versions.content_start(strip))
    return versions.content_trim_start(strip) + skipped


class PlateRenderer:
    """Renders a strip as the artist sees it into movie files, slice by slice.

    Only the strip (with the effects that show it alone), at full opacity, without Blender's
    tone mapping, cropped to ``picture_part``. Raises RecamError as ``check`` does.
    """

    def __init__(self, strip: bpy.types.Strip, scene: bpy.types.Scene, folder: Path) -> None:
        check(strip, scene)
        if versions.first_frame(strip) < 0:
            raise RecamError(
                "strip_early",
                f"“{strip.name}” starts before frame 0, where Blender renders nothing.",
                "Move it to a later frame.",
            )
        _refuse_while_rendering()
        self.parts: list[Path] = []
        self._strip = mark(strip, scene)
        self._folder = folder
        self._seen = look(strip, scene)
        self._frames = versions.duration(strip)
        self._rect = rendered_rect(strip, scene)
        self._done = 0
        self._slice = 1
        self._opening = 0.0

    def step(self, seconds: float) -> float:
        """Render one more slice; the share done, 1.0 at the end.

        It takes about ``seconds``, or longer where Blender needs most of that to begin at all.

        Raises RecamError ``strip_gone``, ``strip_changed``, ``blender_busy``, ``plate_render``.
        """
        if self._done == self._frames:
            return 1.0
        _refuse_while_rendering()
        scene = find(bpy.data.scenes, self._strip.scene, "scene")
        strip = find_strip(self._strip)
        if look(strip, scene) != self._seen:
            raise changed(strip)
        self._folder.mkdir(parents=True, exist_ok=True)
        count = min(self._slice, self._frames - self._done)
        path = self._folder / f"part_{len(self.parts):04}.mp4"
        self.parts.append(path)
        first = versions.first_frame(strip) + self._done
        began = perf_counter()
        render_part(scene, strip, self._rect, range(first, first + count), path)
        took = perf_counter() - began
        self._opening = self._opening or took
        wanted = max(seconds, OPENINGS * self._opening)
        self._slice = max(1, min(4 * count, int(count * wanted / took)))
        self._done += count
        return self._done / self._frames

    def cancel(self) -> None:
        """Remove what was rendered."""
        for part in self.parts:
            part.unlink(missing_ok=True)
        self.parts.clear()

    def plate(self) -> Plate:
        """The plate, once ``step`` has returned 1.0."""
        scene = find(bpy.data.scenes, self._strip.scene, "scene")
        return Plate(
            parts=list(self.parts),
            first=0,
            frames=self._frames,
            rate=scene_rate(scene),
            width=int(self._rect.width),
            height=int(self._rect.height),
            rect=self._rect,
            original=False,
            strip=self._strip,
        )


def changed(strip: bpy.types.Strip) -> RecamError:
    """The error for a strip that no longer looks as it did when its re-shoot began."""
    return RecamError(
        "strip_changed", f"“{strip.name}” was changed while it was being read.", "Start again."
    )


def look(strip: bpy.types.Strip, scene: bpy.types.Scene) -> tuple:
    """What must stay as it is while a strip is being read, to be compared."""
    return (
        file_of(strip),
        versions.duration(strip),
        picture_part(strip, scene),
        frame_size(scene),
        scene_rate(scene),
        strip.color_multiply,
        strip.color_saturation,
        strip.use_reverse_frames,
        strip.strobe,
        tuple((modifier.type, modifier.mute) for modifier in strip.modifiers),
        tuple(key.timeline_frame for key in strip.retiming_keys),
    )


def _refuse_while_rendering() -> None:
    if bpy.app.is_job_running("RENDER"):
        raise RecamError(
            "blender_busy", "Blender is rendering.", "Wait until it is done, then start again."
        )
