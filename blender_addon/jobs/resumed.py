"""A job that an earlier Blender, or this one before another file came, began."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..clip.strips import StripMark
from ..consent import check_consent, check_reachable
from ..shared.errors import RecamError
from . import belonging, placing, session
from .job import AGAIN_SECONDS, Job
from .parcel import from_record
from .records import Record
from .stand import Stand


class Resumed(Job):
    """Follows the record's job on the server that has it, and places its takes.

    claim: the record's, held by this process. marked: the strip to lay the takes on; None for
    the one that the job was made of.
    """

    def __init__(self, record: Record, claim: IO, marked: StripMark | None = None) -> None:
        body = record.request["body"]
        super().__init__(record.job, record.name, body["engine"], body["settings"])
        self._record, self._claim, self._sent = record, claim, True
        self._work = Path(record.work) if record.work else None
        self.strip = marked or belonging.found_again(record)
        self._steps = self._run()

    def _run(self) -> Iterator[float]:
        record = self._record
        if record.error:
            raise RecamError(*record.error)
        self._parcel = from_record(record, self.strip)
        if record.takes:
            self._results = placing.from_values(record.takes)
            yield 0.0
            yield from placing.wait()
            self.takes = placing.place(self._parcel, self._results)
            if not _offline(record.address):
                self.client = session.client(record.address, record.server_key)
                yield from self._deliver()
            self.stand = Stand("finished")
            return
        while offline := _offline(record.address):
            self.stand = Stand("connecting", trouble=offline)
            yield AGAIN_SECONDS
            if self._cancelled:
                self.stand = Stand("cancelled")
                return
        self.client = session.client(record.address, record.server_key)
        elsewhere = self._choose_out()
        remote = self.client.attach(self.id, self._out)
        try:
            yield from self._follow(remote, elsewhere)
        except RecamError as error:
            if error.code != "no_such_job" or not self._sent:
                raise
        else:
            return
        self._sent = False  # Blender ended before the clip had arrived
        self.stand = Stand("connecting")
        if not all(part.is_file() for part in self._parcel.plate.parts):
            raise RecamError(
                "job_unsent",
                f"Blender was closed before the plate of “{self.strip_name}” had been sent.",
                "Try again.",
            )
        check_consent(record.address)
        yield from self._shoot(self._parcel, record.server_key)


def _offline(address: str) -> str:
    """Why Blender may not speak to the address, or empty."""
    try:
        check_reachable(address)
    except RecamError as error:
        return str(error)
    return ""
