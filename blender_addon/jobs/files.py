"""Opening and saving .blends while jobs run: each file has its own, and takes them up again."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..shared.protocol.request import new_id
from ..translations import words
from . import belonging, running
from .job import Job
from .stand import Stand

_before_copy = ""  # the file's id before a save under another name
_left: list[str] = []  # ids of the jobs that were let go of for another file
_ended: list[Job] = []  # what tells of those that were not yet sent


@bpy.app.handlers.persistent
def _before_load(*_) -> None:
    _left[:] = [job.id for job in running.jobs]
    _ended[:] = [_told(job) for job in running.jobs if job.unsent]
    running.abandon_all()


@bpy.app.handlers.persistent
def _after_load(*_) -> None:
    belonging.read_file_id()
    running.take_up()
    _tell()


@bpy.app.handlers.persistent
def _not_loaded(*_) -> None:
    belonging.read_file_id()
    running.take_up(_left)  # this file may have no name to know them by
    _tell()


def _told(job: Job) -> Job:
    """A line in the queue of the file that comes, on a job that ends with the one that goes."""
    line = Job(job.id, job.strip_name, job.asked_engine, job.asked_settings)
    line.strip, line.stand = job.strip, Stand("cancelled")
    said = (
        "“{name}” of {blend} had not been sent when another file was opened. Re-shoot it there."
        if bpy.data.filepath
        else "“{name}” of an unsaved file had not been sent when another file was opened."
    )
    blend = Path(bpy.data.filepath).name
    line.remarks = [words(said, name=job.strip_name, blend=blend)]
    return line


def _tell() -> None:
    running.jobs.extend(_ended)
    _ended.clear()


@bpy.app.handlers.persistent
def _before_save(path: str = "", *_) -> None:
    global _before_copy
    known = _before_copy = belonging.known_id()
    if not path or not known:  # Blender's startup file, or nothing was re-shot here
        return
    if bpy.data.filepath and path != bpy.data.filepath:
        known = new_id()  # two files from now on; the jobs are those of the one that stays open
    belonging.set_file_id(known)
    running.before_save()


@bpy.app.handlers.persistent
def _after_save(path: str = "", *_) -> None:
    if not path:
        return
    if path != bpy.data.filepath:  # a copy: this file is who it was, and not saved
        if _before_copy:
            belonging.set_file_id(_before_copy)
        return
    running.after_save()


HANDLERS = {
    "load_pre": _before_load,
    "load_post": _after_load,
    "load_post_fail": _not_loaded,
    "save_pre": _before_save,
    "save_post": _after_save,
}


def register() -> None:
    for name, handler in HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)
    if not bpy.app.background:  # enabled with a file open, which cannot be looked at yet
        bpy.app.timers.register(_after_load)


def unregister() -> None:
    if bpy.app.timers.is_registered(_after_load):
        bpy.app.timers.unregister(_after_load)
    for name, handler in HANDLERS.items():
        getattr(bpy.app.handlers, name).remove(handler)
