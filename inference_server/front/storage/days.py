"""How old something is, in days that the server has seen: no clock that jumps wipes its folders."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path

log = logging.getLogger(__name__)

DAY = 86400.0
MOST_NOTES = 400  # that are remembered: a day each, longer than anything is kept
ASTRAY = 1 / 24  # days by which the machine's clock may differ from the days seen


class Days:
    """The calendar of one state folder.

    While the server runs, its days pass by the clock that nobody sets; from one run to the next
    one day at most goes by, however far the machine's clock has come. So a clock that is set
    years ahead makes nothing older than a day, and what is kept while a server stays off for a
    month is as old afterwards as it was the day after.

    Every day, and whenever the machine's clock has jumped, its time is noted beside the days seen
    until then. Between two notes both have passed alike: so the notes tell how many days had been
    seen at the time of a time stamp.
    """

    def __init__(self, file: Path) -> None:
        """Take up the calendar of earlier runs; without one, or a damaged one, all is new."""
        self._file = file
        self._notes: list[tuple[float, float]] = []  # machine's time, days seen until then
        self._seen = 0.0
        self._last = time.monotonic()
        now = time.time()
        try:
            kept = json.loads(file.read_bytes())
            self._notes = [(float(when), float(seen)) for when, seen in kept["notes"]]
            self._seen = float(kept["seen"])
            self._seen += min(max(now - float(kept["time"]), 0.0) / DAY, 1.0)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be read (%s): what is kept counts as new", file, error)
            self._notes, self._seen = [], 0.0
        self._note(now)

    def pass_on(self) -> None:
        """Count the time that has passed since the last call, and keep it. To be called at least
        once in ``ASTRAY``."""
        now = time.monotonic()
        self._seen += (now - self._last) / DAY
        self._last = now
        self._note(time.time())

    def age(self, stamp: float) -> float:
        """How many days something is old. stamp: when it was last used, in seconds since 1970.

        A stamp from before the first day that was seen counts as of that day, one that lies in the
        future as of now.
        """
        if stamp >= time.time():
            return 0.0
        ends = [seen for _, seen in self._notes[1:]] + [self._seen]
        begun = self._notes[0][1]
        for (when, seen), end in zip(self._notes, ends, strict=True):
            # Of several notes that fit, the newest: the clock has been set back since. And one
            # that came a little later, because a jump is noticed at the next look.
            if when - ASTRAY * DAY <= stamp:
                begun = min(seen + max(stamp - when, 0.0) / DAY, end)
        return self._seen - begun

    def _note(self, now: float) -> None:
        when, seen = self._notes[-1] if self._notes else (now, -1.0)
        passed = self._seen - seen
        if passed >= 1 or abs((now - when) / DAY - passed) > ASTRAY:
            self._notes = [*self._notes, (now, self._seen)][-MOST_NOTES:]
        kept = {"time": now, "seen": self._seen, "notes": self._notes}
        draft = self._file.with_suffix(".part")
        try:
            draft.write_text(json.dumps(kept))
            os.replace(draft, self._file)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error)
