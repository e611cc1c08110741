"""What the camera's path over the strip is now, and what is wrong with it, kept up to date.

Sampled anew a little at a time, once the artist has left off changing things; never while a
picture is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, perf_counter, process_time

import bpy
import numpy as np

from ..clip.layout import Rect
from ..clip.render import rendered_rect
from ..clip.strips import KINDS, active_strip, placement_of
from ..scene.blocks import find
from ..scene.temporary_scene import rendering
from ..settings import subject_metres
from ..shared.cameras.advice import Finding, findings
from ..shared.cameras.trajectory import Shot
from ..shared.errors import RecamError
from ..translations import words
from ..ui.places import redraw
from .moves import strip_frames
from .path_lines import Lines, path_lines
from .rig import alive
from .sampling import CameraSampler, reads_the_scene, stage_of

SLICE_SECONDS = 0.005  # of work at a tick
# A tick beyond this would be felt. After some it is not the machine that was busy: the scene is
# then read on request alone.
LONG_TICK, LONG_TICKS = 0.016, 3
CALM_SECONDS = 0.3  # without a change before the path is read
IDLE_SECONDS = 0.2
BREATH_SECONDS = 0.01  # between two pieces of work


class Path:
    """The path over the active strip of a scene.

    ``lines`` and ``findings`` are the latest; ``problem`` says why there are none. ``stage`` is the
    ``session_uid`` of the scene where the lines are. ``by_hand`` says why the path is left as it
    is until ``refresh``, or nothing.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self.lines: Lines | None = None
        self.findings: list[Finding] = []
        self.problem = ""
        self.by_hand = ""
        self.stage: int | None = None
        self._scene = scene.session_uid
        self._slow = False
        self._long = self._long_before = 0
        self._seen: tuple = ()
        self._changed_at: float | None = None
        self._work: Iterator[None] | None = None

    def changed(self) -> None:
        """Something moved: read again, once it is calm."""
        self._changed_at = monotonic()
        self._work = None

    def evaluated(self, updates) -> None:
        """Blender's own list of what is new."""
        scene = self._shown()
        if scene is None or not len(updates):
            return
        cameras = {mark.camera for mark in _marks(scene)} | {scene.camera, *_things(scene)}
        moving = {thing.session_uid for thing in cameras - {None}}
        for update in updates:
            moved = update.is_updated_transform and update.id.session_uid in moving
            if moved or isinstance(update.id, bpy.types.Camera | bpy.types.Action):
                self.changed()

    def fail(self, problem: str) -> None:
        """Give up, until something changes."""
        self.lines, self.findings, self.problem, self._work = None, [], problem, None
        redraw()

    def refresh(self) -> None:
        """Read now and wholly, however long it takes."""
        scene = self._shown()
        if scene is not None:
            self._seen, self._changed_at = _look(scene), None
            for _ in self._read(scene, 1.0, not _reads_itself(scene)):
                pass

    def tick(self) -> float | None:
        """Do a little; the seconds until the next, None once the scene is gone."""
        scene = self._found()
        if scene is None:
            return None
        if not scene.recam_move.show_path:
            self.by_hand, self._slow, self._work = "", False, None
            return IDLE_SECONDS
        began = _clocks()
        if (seen := _look(scene)) != self._seen:
            self._seen = seen
            self.changed()
        if self._slow or _busy() or not self._begun(scene):
            return IDLE_SECONDS
        if next(self._work, self) is self:
            self._work = None
            redraw()
        # On a busy machine the clock on the wall runs on; with a render on, the processor's does.
        self._count(min(now - then for now, then in zip(_clocks(), began, strict=True)))
        return BREATH_SECONDS if self._work else IDLE_SECONDS

    def _begun(self, scene) -> bool:
        """Whether there is something to read."""
        if self._changed_at is None or monotonic() - self._changed_at < CALM_SECONDS:
            return self._work is not None
        self._changed_at = None
        if _reads_itself(scene):
            self._leave(words("A driver or constraint of the cameras reads this scene"))
            return False
        self.by_hand = ""
        self._work, self._long_before = self._read(scene, SLICE_SECONDS, True), self._long
        return True

    def _count(self, took: float) -> None:
        """Give up a scene in which ticks are too long."""
        if took > LONG_TICK:
            self._long += 1
        elif self._work is None and self._long == self._long_before:
            self._long = 0  # read without one
        if self._long == LONG_TICKS:
            self._long, self._slow = 0, True
            milliseconds = f"{took * 1000:.0f}"
            self._leave(words("This scene takes {time} ms to look at", time=milliseconds))

    def _leave(self, why: str) -> None:
        self.by_hand = words("{why}: the path is read on request.", why=why)
        self._work = None
        redraw()

    def _found(self) -> bpy.types.Scene | None:
        return next((s for s in bpy.data.scenes if s.session_uid == self._scene), None)

    def _shown(self) -> bpy.types.Scene | None:
        """The scene, if its path is to be shown."""
        scene = self._found()
        return scene if scene is not None and scene.recam_move.show_path else None

    def _read(self, scene, seconds: float, light: bool) -> Iterator[None]:
        shot, problem, first = None, "", 0
        yield  # to ask what reads the scene was enough for one tick
        try:
            strip = active_strip(scene)
            if strip is None or strip.type not in KINDS:
                raise RecamError("strip_none", "Select a clip to see the camera's path over it.")
            frames = strip_frames(strip)
            first = frames[0]
            target, source = _samplers(scene, frames, _part(strip, scene), light)
            for sampler in (target, source) if source else (target,):
                while sampler.step(seconds) < 1:
                    yield
                yield
            scene = find(bpy.data.scenes, self._scene, "scene")
            trajectory, known = target.trajectory(), source and source.trajectory()
            reference = (known or trajectory).poses[0]
            distance = subject_metres(scene.recam, scene, reference, target.subject_place)
            shot = Shot(trajectory, known, distance)
        except RecamError as error:
            problem = str(error)
        self._set(find(bpy.data.scenes, self._scene, "scene"), shot, first, problem)

    def _set(self, scene, shot: Shot | None, first: int, problem: str) -> None:
        settings = scene.recam
        self.findings, self.lines, self.problem = [], None, problem
        if shot is not None:
            for_model = settings.engine != "projection"
            self.findings = findings(shot, first, settings.every, for_model)
            wrong = np.zeros(len(shot.trajectory), bool)
            for finding in self.findings:
                wrong |= finding.frames
            stage = stage_of(scene, alive(settings.camera))
            self.stage = stage.session_uid
            self.lines = path_lines(shot, wrong, stage.unit_settings.scale_length)


def _part(strip, scene) -> Rect | None:
    """The part of the frame that the clip fills: to within a pixel or two the job's own, which
    takes opening the file to know. None for all of it."""
    rect = rendered_rect(strip, scene)
    return rect if rect.width and rect.height else None


def _samplers(
    scene, frames: range, part: Rect | None, light: bool
) -> tuple[CameraSampler, CameraSampler | None]:
    """Of the camera to re-shoot with, and of the one that shot the clip."""
    camera, source, subject = _things(scene)
    target = CameraSampler(scene, frames, camera, part, subject, light)
    return target, CameraSampler(scene, frames, source, part, light=light) if source else None


def _things(scene) -> list[bpy.types.Object | None]:
    settings = scene.recam
    return [alive(each) for each in (settings.camera, settings.source_camera, settings.subject)]


def _clocks() -> tuple[float, float]:
    return perf_counter(), process_time()


def _busy() -> bool:
    """Whether Blender plays or renders."""
    windows = bpy.context.window_manager.windows
    return rendering() or any(window.screen.is_animation_playing for window in windows)


def _reads_itself(scene) -> bool:
    """Whether the cameras can only be read by walking the artist's own scene through time."""
    camera, source, subject = _things(scene)
    stage = stage_of(scene, camera)
    return reads_the_scene(stage, camera, subject, source)


def _look(scene) -> tuple:
    """What the path depends on that Blender does not tell of."""
    settings, strip = scene.recam, active_strip(scene)
    things = (*_things(scene), scene.camera)
    placed = None
    if strip is not None and strip.type in KINDS:
        frames = strip_frames(strip)
        placed = strip.name, frames[0], frames[-1], placement_of(strip)
    render = scene.render
    return (
        placed,
        *(thing and thing.session_uid for thing in things),
        *(settings.subject_distance, settings.engine, settings.every),
        *(render.fps, render.fps_base, scene.unit_settings.scale_length),
        *(render.resolution_x, render.resolution_y, render.pixel_aspect_x, render.pixel_aspect_y),
        tuple((mark.frame, mark.camera and mark.camera.session_uid) for mark in _marks(scene)),
    )


def _marks(scene):
    return [mark for mark in scene.timeline_markers if mark.camera]
