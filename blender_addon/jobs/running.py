"""The re-shoots under way in this Blender, and the timers that drive them in a window."""

from __future__ import annotations

import bpy

from . import session
from .reshoot import Reshoot

jobs: list[Reshoot] = []  # the latest last; ended ones stay until dismissed, to be read
_timers: dict[Reshoot, object] = {}


def start(job: Reshoot) -> None:
    """Take a re-shoot in; a window's timer drives it, a script without one calls ``tick``."""
    jobs.append(job)
    if bpy.app.background:  # timers never fire there
        return

    def drive() -> float | None:
        delay = job.tick()
        redraw()
        if delay is None:
            _timers.pop(job, None)
        return delay

    _timers[job] = drive
    bpy.app.timers.register(drive)


def busy() -> bool:
    """Whether a re-shoot is under way."""
    return any(job.running for job in jobs)


def dismiss(job: Reshoot) -> None:
    """Forget a re-shoot that has ended."""
    if job in jobs and not job.running:
        jobs.remove(job)


def abandon_all() -> None:
    """Let go of everything: the add-on is going, or another file comes. The server goes on."""
    for drive in _timers.values():
        if bpy.app.timers.is_registered(drive):
            bpy.app.timers.unregister(drive)
    _timers.clear()
    session.close()  # first: a take that arrives now would lie about
    for job in jobs:
        job.abandon()
    jobs.clear()


def redraw() -> None:
    """Draw the sequencers again, to show what has changed."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()


@bpy.app.handlers.persistent
def _before_load(*_) -> None:
    abandon_all()


def register() -> None:
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_before_load)
    abandon_all()
