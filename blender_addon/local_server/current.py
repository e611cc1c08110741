"""The one task under way in this Blender and the watch on the server, with their timers."""

from __future__ import annotations

import bpy

from ..consent import check_reachable
from ..preferences import address, preferences, server_key
from ..shared.errors import RecamError
from ..ui.places import redraw
from . import server
from .task import Task
from .watch import QUITTING_SECONDS, Seen, Watch, look

task: Task | None = None  # the latest; one that has ended stays, to be read
watch = Watch()
sentences: list[str] = []  # what recam doctor said


def busy() -> bool:
    """Whether a task is under way."""
    return task is not None and task.running


def begin(made: Task) -> None:
    """Take a task in; a window's timer drives it, a script without one calls ``tick``.

    Raises RecamError ``task_busy`` while another is under way.
    """
    global task
    if busy():
        raise RecamError("task_busy", f"{task.title} has not ended.", "Wait for it, or cancel it.")
    task = made
    _register(_drive_task)


def show() -> None:
    """Somebody draws what the watch sees: let it look, where Blender may."""
    try:
        check_reachable(address())
    except RecamError as error:
        watch.close(0)
        watch.seen = Seen(address(), error=error)
        return
    watch.want(address(), server_key())
    _register(_drive_watch)


def forget() -> None:
    """No longer show a task that has ended."""
    global task
    if not busy():
        task = None


def _drive_task() -> float | None:
    before = task.stand
    delay = task.tick()
    if delay is None:
        watch.again()
    if delay is None or task.stand != before:
        redraw()
    return delay


def _drive_watch() -> float | None:
    before = watch.seen
    delay = watch.tick()
    if watch.seen != before:
        redraw()
    return delay


def _register(drive) -> None:
    if not bpy.app.background and not bpy.app.timers.is_registered(drive):
        bpy.app.timers.register(drive, persistent=True)


def _leave_server() -> None:
    """A server that was started here goes with Blender, unless it works or is to stay."""
    found = None if preferences().keep_server else server.ours()
    if found is None:
        return
    seen = look(found.address)
    if seen.error is None and not seen.jobs:
        server.leave()


def register() -> None:
    """Nothing is looked at before somebody wants to know."""


def unregister() -> None:
    """As Blender quits, too: what is half done is ended, and can be done again."""
    global task
    for drive in (_drive_task, _drive_watch):
        if bpy.app.timers.is_registered(drive):
            bpy.app.timers.unregister(drive)
    watch.close(QUITTING_SECONDS)
    if busy():
        task.abandon()
    task = None
    sentences.clear()
    _leave_server()
