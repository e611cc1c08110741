"""What the rig's screen shows: the strip's own file, or a plate rendered for it, a little a tick.

A plate is rendered where the strip does not show its file as it is: retimed, cropped, reversed …
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import mkdtemp

import bpy

from .. import versions
from ..clip.plate import PlateRenderer, original_plate, untouched
from ..clip.strips import find_strip, mark
from ..scene.blocks import find
from ..shared.errors import RecamError
from ..takes.folder import writable_folder
from ..ui.places import redraw
from . import rig as rigs
from .movie_texture import Footage, show, texture_of

LOOK_SECONDS = 0.1

job: FootageJob | None = None  # the one under way, or the last, if it failed


def show_clip(rig: bpy.types.Collection, strip: bpy.types.Strip, scene) -> None:
    """Let the rig's screen show the strip: now, or once its plate is rendered (``job``).

    Raises RecamError ``strip_*`` for a strip that gives no plate.
    """
    stop()
    if untouched(strip, scene):
        plate = original_plate(strip, scene)
        first = versions.first_frame(strip)
        _show(rig, Footage(plate.parts[0], plate.first, first, plate.frames))
    else:
        start(FootageJob(rig, strip, scene))


def in_step(rig: bpy.types.Collection, strip: bpy.types.Strip) -> bool:
    """Whether the screen, as far as it shows anything, runs from the strip's first frame to its
    last: it does until the strip is moved or trimmed."""
    ours = versions.first_frame(strip), versions.duration(strip)
    shown = [each for each in map(texture_of, _materials(rig)) if each and each.image]
    return all((t.image_user.frame_start, t.image_user.frame_duration) == ours for t in shown)


class FootageJob:
    """Renders a strip's plate and shows it on the rig's screen. ``share`` says how far it is,
    ``error`` why it failed."""

    def __init__(self, rig: bpy.types.Collection, strip: bpy.types.Strip, scene) -> None:
        self.strip_name = strip.name
        self.share = 0.0
        self.error: RecamError | None = None
        self.running = True
        self._rig = rig.session_uid
        self._strip = mark(strip, scene)
        self._work = Path(mkdtemp(prefix="recam-"))
        try:
            self._renderer = PlateRenderer(strip, scene, self._work)
        except Exception:
            shutil.rmtree(self._work)
            raise

    def tick(self) -> float | None:
        """Do a little; the seconds until the next tick, or None when there is nothing left."""
        if not self.running or self._rig not in {c.session_uid for c in bpy.data.collections}:
            self.stop()  # where the rig is gone, its making was undone
            return None
        try:
            self.share = self._renderer.look()
            if self.share < 1:
                return LOOK_SECONDS
            self._finish()
        except RecamError as error:
            self.error = error
        except (OSError, RuntimeError) as error:  # Blender's own is a RuntimeError
            self.error = RecamError(
                "clip_unshown",
                f"The clip could not be shown in the 3D view: {error}",
                "Choose another folder for takes in the add-on's preferences.",
            )
        self.stop()
        return None

    def stop(self) -> None:
        """Let go of what was begun."""
        self.running = False
        self._renderer.cancel()
        shutil.rmtree(self._work, ignore_errors=True)

    def _finish(self) -> None:
        rig = find(bpy.data.collections, self._rig, "rig")
        strip, plate = find_strip(self._strip), self._renderer.plate()
        path = _free_path(writable_folder()[0], strip.name)
        shutil.move(plate.parts[0], path)
        _show(rig, Footage(path, 0, versions.first_frame(strip), plate.frames))
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
            bpy.ops.ed.undo_push(message="Show clip in 3D scene")


def _show(rig: bpy.types.Collection, footage: Footage) -> None:
    for material in _materials(rig):
        if texture_of(material):
            show(material, footage)


def _materials(rig: bpy.types.Collection) -> list[bpy.types.Material | None]:
    screen = rigs.part(rig, rigs.SCREEN)
    return screen.data.materials[:] if screen else []


def _free_path(folder: Path, strip_name: str) -> Path:
    """A new file for a plate; never one that another scene, or an undo, may still show."""
    stem = re.sub(r"[^\w.-]+", "_", Path(strip_name).stem).strip("._") or "clip"
    number = 1
    while (path := folder / f"{stem}_plate_{number:03}.mp4").exists():
        number += 1
    return path


def start(new: FootageJob) -> None:
    """Take a job in; a window's timer drives it, a script without one calls ``tick``."""
    global job
    job = new
    if not bpy.app.background:  # timers never fire there
        bpy.app.timers.register(_drive)


def stop() -> None:
    """Let go of the job under way."""
    global job
    if bpy.app.timers.is_registered(_drive):
        bpy.app.timers.unregister(_drive)
    if job is not None:
        job.stop()
    job = None


def _drive() -> float | None:
    delay = job.tick() if job else None
    redraw()
    return delay


@bpy.app.handlers.persistent
def _before_load(*_) -> None:
    stop()


def register() -> None:
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_before_load)
    stop()
