"""A job as this Blender follows it, a little at each tick: sent, watched, its takes placed.

Knows no timer: the window's drives ``tick``, and so does a test or a script, by hand.
"""

from __future__ import annotations

import contextlib
import shutil
import traceback
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import IO

import bpy

from ..clip.strips import StripMark
from ..shared.client import parts
from ..shared.client.client import Client
from ..shared.client.job import SILENT, RemoteJob
from ..shared.client.state import JobState
from ..shared.errors import RecamError
from ..shared.takes import MOST_TAKES, take_path
from ..takes.folder import writable_folder
from ..takes.place import Result
from . import belonging, delivery, parcel, pictures, placing, records
from .parcel import Parcel
from .stand import ENDED, UNSENT, WAITING, Stand

LOOK_SECONDS = 0.25  # between two looks at the server's progress
CONNECT_SECONDS = 12.0  # for the first answer; a server lost later is given its time to restart
AGAIN_SECONDS = 5.0  # until a job is asked for again whose server did not answer
KEPT_THERE = (placing.UNNAMED, "result_unwritable", "result_damaged")  # errors of fetching


class Job:
    """A job under way, or over. ``stand`` says how far it is, ``error`` why it failed.

    ``takes`` are the names of the new strips, once there. engine, settings: what was asked for.
    """

    strip: StripMark  # what it is of

    def __init__(self, job: str, strip_name: str, engine: str, settings: dict) -> None:
        self.id = job
        self.client: Client | None = None  # its connection, once it has one
        self.strip_name = strip_name
        self.asked_engine, self.asked_settings = engine, settings
        self.stand = Stand("connecting")
        self.engine = ""
        self.engine_reason = ""
        self.remarks: list[str] = []
        self.error: RecamError | None = None
        self.takes: list[str] = []
        self._parcel: Parcel | None = None
        self._record: records.Record | None = None
        self._claim: IO | None = None
        self._remote: RemoteJob | None = None
        self._sent = False  # whether the server has it, as far as is known
        self._out: Path | None = None
        self._work: Path | None = None
        self._cancelled = False
        self._results: list[Result] = []
        self._told: Future | None = None  # that the takes are delivered
        self._steps: Generator[float] = (each for each in ())

    @property
    def running(self) -> bool:
        """Whether ``tick`` has anything left to do."""
        return self.stand.stage not in ENDED

    @property
    def waiting(self) -> bool:
        """Whether it is with the server, so that a tick only looks how far it is."""
        return self.stand.stage in WAITING

    @property
    def unsent(self) -> bool:
        """Whether its camera is read or its plate rendered: it ends with the file that is open."""
        return self.stand.stage in UNSENT and not self._cancelled

    @property
    def to_fetch(self) -> bool:
        """Whether it failed here alone: its takes lie on the server, and can be fetched again."""
        return bool(self.error and self.error.code in KEPT_THERE and self._record)

    @property
    def take(self) -> str:
        """The first of ``takes``, or empty."""
        return self.takes[0] if self.takes else ""

    def tick(self) -> float | None:
        """Do a little; the seconds until the next tick, or None when there is nothing left."""
        if not self.running:
            return None
        try:
            return next(self._steps)
        except StopIteration:
            pass
        except RecamError as error:
            self._fail(error)
        except Exception as error:
            traceback.print_exc()  # to Blender's console; a timer would swallow it
            self._fail(
                RecamError(
                    "addon_fault",
                    f"Recam's add-on made a mistake ({type(error).__name__}: {error}).",
                    "The system console has the details; please report them.",
                )
            )
        if self.to_fetch:
            self._note()  # without the error: whoever takes it up fetches the take again
            self._let_go()
        elif self.error and self._record:  # to be read until it is dismissed
            error = self.error.code, self.error.sentence, self.error.hint
            self._note(error=error)
        elif self.takes and self._record:  # they are in no file yet
            self._note(takes=placing.to_values(self._results))
        else:
            self.forget()
        self._clean()
        return None

    def cancel(self) -> None:
        """Call it off; the next ticks bring it to its end."""
        self._cancelled = True
        if self._remote is not None:
            self._remote.cancel()

    def abandon(self) -> None:
        """Let go without waiting: it goes on on the server, and its record stays."""
        self._steps.close()
        if self.running:
            self.stand = Stand("cancelled")
        if self._record and self._record.work and not self._sent:
            self._work = None  # whoever takes it up again sends what lies there
        if self.takes and not bpy.data.filepath:  # of a file that was not to be kept
            self.forget()
        self._let_go()
        self._clean(parts_too=self._record is None)

    def forget(self) -> None:
        """Remove the record: nothing is left to be taken up again.

        It stays where the server has yet to hear that it may delete what it has of the job.
        """
        self._let_go()
        if self._record is not None:
            if delivery.owed(self._record, self._told):
                self._note(owed=True)
            else:
                records.remove(belonging.folder(), self._record.job)
            self._record = None

    def before_save(self) -> None:
        """Write the strip's id on it again, should an undo have taken it away."""
        if self._record is not None:
            values = parcel.strip_values(self.strip, self._record.strip["id"])
            self._record = replace(self._record, strip=values)

    def after_save(self) -> None:
        """Note where the .blend lies now; takes that were placed are safe in it."""
        if self.takes:
            self.forget()
        elif self._record is not None:
            self._note(blend=bpy.data.filepath, file=belonging.known_id())

    def _shoot(self, sent: Parcel, server_key: str) -> Iterator[float]:
        """Send the parcel, and follow its job to the end."""
        self._parcel = sent
        if self._record is None:
            self._record = parcel.to_record(sent, self.client.address, server_key, self._work)
            with contextlib.suppress(OSError):  # a disk that is full: the job itself can do without
                self._claim = records.claim(belonging.folder(), self.id)
                records.write(belonging.folder(), self._record)
            self.strip = replace(self.strip, id=self._record.strip["id"])
            plate = replace(sent.plate, strip=replace(sent.plate.strip, id=self.strip.id))
            self._parcel = replace(sent, plate=plate)
        elsewhere = self._choose_out()
        remote = self.client.shoot(sent.request, sent.plate.parts, self._out, sent.depth)
        yield from self._follow(remote, elsewhere)

    def _follow(self, remote: RemoteJob, elsewhere: str) -> Iterator[float]:
        """Show where the job stands until its end, and place its takes. elsewhere: a remark."""
        state = yield from self._watch(remote, elsewhere)
        while self._sent and state.error and state.error.code in SILENT:
            self.stand = Stand("connecting", trouble=state.error.sentence)
            yield AGAIN_SECONDS
            remote = self.client.attach(self.id, self._out)
            state = yield from self._watch(remote, elsewhere)
        if state.error:
            raise state.error
        if state.stage == "finished":
            yield from self._place(state)
        self.stand = Stand(state.stage)

    def _watch(self, remote: RemoteJob, elsewhere: str) -> Iterator[float]:
        self._remote = remote
        if self._cancelled:
            remote.cancel()
        patient_until = monotonic() + CONNECT_SECONDS
        while not (state := remote.state).ended:
            if state.stage in WAITING[2:]:
                self._sent = True
            if state.trouble and self._cancelled:
                there = self._sent or remote.submitted
                self.remarks = ["No server answers: it may still render this."] if there else []
                return JobState(stage="cancelled")
            if state.stage == "connecting" and not self._sent and monotonic() > patient_until:
                remote.cancel()
                raise _unreachable(self.client.address)
            share = state.step / state.steps if state.steps else None
            self.stand = Stand(
                state.stage, share, state.seconds_left, state.doing, state.ahead, state.trouble
            )
            self.engine, self.engine_reason = state.engine, state.engine_reason
            self.remarks = [elsewhere, *state.remarks] if elsewhere else [*state.remarks]
            pictures.show(self.id, state.picture)
            yield LOOK_SECONDS
        return state

    def _choose_out(self) -> str:
        """Choose where the takes are fetched to; what the artist should know of it, or empty."""
        folder, elsewhere = writable_folder()
        self._out = folder / f".{self.id}.mp4"
        return elsewhere

    def _place(self, state: JobState) -> Iterator[float]:
        yield from placing.wait()
        fetched = [take_path(self._out, number) for number in range(len(state.result["takes"]))]
        folder, elsewhere = writable_folder()
        if folder != self._out.parent:  # the .blend was saved elsewhere meanwhile
            fetched, unmoved = yield from placing.moved(fetched, folder)
            elsewhere = unmoved or elsewhere
            if not unmoved:
                self._out = folder / self._out.name
            yield from placing.wait()  # that took a while
        self.stand = Stand("placing")
        self._results = placing.named(fetched, state, self._parcel)
        self.remarks = [each for each in (elsewhere, *state.result["remarks"]) if each]
        self.takes = placing.place(self._parcel, self._results)
        if self._record:
            self._note(takes=placing.to_values(self._results))
        yield from self._deliver()

    def _deliver(self) -> Iterator[float]:
        """Tell the server that the takes are here, on the disk, and wait a moment for its word."""
        yield from delivery.flushed([each.path for each in self._results])
        self._told = self.client.delivered(self.id)
        yield from delivery.heard(self._told)

    def _note(self, **changes) -> None:
        self._record = replace(self._record, **changes)
        with contextlib.suppress(OSError):
            records.write(belonging.folder(), self._record)

    def _let_go(self) -> None:
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def _clean(self, parts_too: bool = True) -> None:
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)
        if self._out is not None:
            for number in range(MOST_TAKES):
                with contextlib.suppress(OSError):  # in use, in Windows; or its folder is gone
                    take_path(self._out, number).unlink(missing_ok=True)
                if parts_too:
                    parts.remove(take_path(self._out, number))

    def _fail(self, error: RecamError) -> None:
        self.error = error
        self.stand = Stand("failed")


def _unreachable(address: str) -> RecamError:
    return RecamError(
        "server_unreachable",
        f"No Recam server answers at {address}.",
        "Start one in the panel Server, or correct the address in the add-on's preferences.",
    )
