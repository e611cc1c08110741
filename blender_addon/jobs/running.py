"""The jobs that this Blender follows, and the timers that drive them in a window."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import replace

import bpy

from ..clip.strips import StripMark
from ..shared.errors import RecamError
from ..ui import places
from . import belonging, delivery, pictures, records, session
from .job import Job
from .records import Record
from .resumed import Resumed

jobs: list[Job] = []  # the latest last; ended ones stay until dismissed, to be read
_dismissed: list[Job] = []  # those whose takes are in no file yet
_timers: dict[Job, object] = {}


def start(job: Job) -> None:
    """Take a job in; a window's timer drives it, a script without one calls ``tick``."""
    jobs.append(job)
    if bpy.app.background:  # timers never fire there
        return

    def drive() -> float | None:
        before = job.stand
        delay = job.tick()
        if job.stand != before:
            redraw()
        if delay is None:
            _timers.pop(job, None)
        return delay

    _timers[job] = drive
    bpy.app.timers.register(drive)


def busy() -> bool:
    """Whether a job is under way."""
    return any(job.running for job in jobs)


def find(job: str) -> Job | None:
    """The job with this id, if it is still shown."""
    return next((each for each in jobs if each.id == job), None)


def dismiss(job: Job) -> None:
    """Show a job that has ended no more; it is forgotten once its takes are in a saved file."""
    if job in jobs and not job.running:
        jobs.remove(job)
        pictures.forget(job.id)
        if job.takes:
            _dismissed.append(job)
        else:
            job.forget()


def before_save() -> None:
    """The .blend is about to be saved."""
    for job in [*jobs, *_dismissed]:
        job.before_save()


def after_save() -> None:
    """The .blend that is open was saved, with the takes that lie in it."""
    for job in [*jobs, *_dismissed]:
        job.after_save()
    _dismissed.clear()


def abandon_all() -> None:
    """Let go of everything: the add-on is going, or another file comes. The servers go on."""
    for drive in _timers.values():
        if bpy.app.timers.is_registered(drive):
            bpy.app.timers.unregister(drive)
    _timers.clear()
    session.close()  # first: a take that arrives now would lie about
    for job in [*jobs, *_dismissed]:
        job.abandon()
        pictures.forget(job.id)
    jobs.clear()
    _dismissed.clear()


def take_up(these: Collection[str] = ()) -> None:
    """Follow those jobs of the .blend that is open which nobody follows; ``these`` are its own."""
    blend, file = bpy.data.filepath, belonging.known_id()
    for record in records.read_all(belonging.folder()):
        if record.owed:
            _tell(record)
        elif record.job in these or records.belongs(record, blend, file):
            adopt(record)
        elif records.replaced(record, blend, file):
            _orphan(record)


def lost() -> list[Record]:
    """Jobs of files that were never saved, or that are gone, which nobody shows here."""
    kept = records.read_all(belonging.folder())
    return [each for each in kept if records.lost(each) and find(each.job) is None]


def adopt(record: Record, marked: StripMark | None = None) -> bool:
    """Follow the record's job from here on, if nobody else does; see ``Resumed``."""
    job = record.job
    if find(job) is not None:
        return False
    claim = records.claim(belonging.folder(), job)
    if claim is None:
        return False
    record = records.read(belonging.folder(), job)  # another Blender may have ended it
    if record is None or (record.takes and belonging.holds_take_of(record.job)):
        claim.close()
        records.remove(belonging.folder(), job)
        return False
    if records.lost(record) and record.file != belonging.known_id():
        belonging.file_id()  # the job is this file's from now on, once that is saved
    elif not belonging.known_id():
        belonging.set_file_id(record.file)  # an undo or a crash had taken it away
    start(Resumed(record, claim, marked))
    return True


def _tell(record: Record) -> None:
    """Tell the server of a job of any file's that its takes are here."""
    with contextlib.suppress(RecamError):  # Blender is told to stay offline: another time
        client = session.client(record.address, record.server_key)
        delivery.tell(client, belonging.folder(), record)


def fetch_again(job: Job) -> bool:
    """Take a job up again whose takes could not be fetched; they lie on the server."""
    record = records.read(belonging.folder(), job.id)
    if not job.to_fetch or record is None:
        return False
    jobs.remove(job)
    return adopt(record, job.strip)


def _orphan(record: Record) -> None:
    """Another .blend was saved over the job's: it is offered like those of unsaved files."""
    claim = records.claim(belonging.folder(), record.job)
    if claim is not None:
        records.write(belonging.folder(), replace(record, blend=""))
        claim.close()


def redraw() -> None:
    """Draw again what shows the jobs, the status bar too."""
    places.redraw()
    # The status bar is in no screen's areas; it listens to this, and so do a few more headers.
    bpy.msgbus.publish_rna(key=(bpy.types.ViewLayer, "name"))


def register() -> None:
    """The list is empty until something is started."""


def unregister() -> None:
    abandon_all()
