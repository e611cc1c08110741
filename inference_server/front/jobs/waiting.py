"""The jobs that wait, in memory: what changes for all of them costs one look, not one for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..journal.entry import Entry
from .line import line

NEW = 1 << 62  # a number after all that jobs have
Engines = tuple[str, ...]  # those of a lane


class Waiting:
    """For each lane's engines, those who wait for them, in the order in which it is their turn.

    auto: the engine that ``auto`` means now, which decides where such a job waits.
    """

    def __init__(self, lanes: Iterable[Engines], auto: str) -> None:
        self._lane_of = {engine: engines for engines in lanes for engine in engines}
        self._auto = auto
        self._entries: dict[int, Entry] = {}
        self._turns: dict[Engines, dict[str, int]] = defaultdict(dict)
        self._turn = 0
        self._lines: dict[Engines, list[Entry]] | None = None
        self._places: dict[int, int] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __contains__(self, entry: Entry) -> bool:
        return entry.number in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """It waits."""
        self._entries[entry.number] = entry
        self._lines = None

    def remove(self, entry: Entry) -> None:
        """It does not wait any more."""
        self._entries.pop(entry.number, None)
        self._lines = None

    def serve(self, entry: Entry, engine: str) -> None:
        """It is its owner's turn: the job is handed to a lane with that engine."""
        self._turn += 1
        self._turns[self._lane_of[engine]][entry.owner] = self._turn
        self.remove(entry)

    @property
    def auto(self) -> str:
        """See the class."""
        return self._auto

    @auto.setter
    def auto(self, engine: str) -> None:
        if engine != self._auto:
            self._auto, self._lines = engine, None

    def engines_for(self, entry: Entry) -> Engines:
        """Those of the lane in which a job waits."""
        return self._lane_of.get(entry.body.get("engine"), self._lane_of[self._auto])

    def line(self, engines: Engines) -> list[Entry]:
        """Those who wait for a lane with these engines, the next one first."""
        if self._lines is None:
            self._line_up()
        return self._lines[engines]

    def before_new(self, owner: str, engines: Engines) -> int:
        """How many of those who wait would come before a new job of this owner's."""
        asked = [(entry.number, entry.owner) for entry in self.line(engines)]
        return line([*sorted(asked), (NEW, owner)], self._turns[engines]).index(NEW)

    def before(self, entry: Entry) -> int:
        """How many of those who wait come before this one, which waits too."""
        if self._lines is None:
            self._line_up()
        return self._places.get(entry.number, 0)

    def _line_up(self) -> None:
        asked = defaultdict(list)
        for number in sorted(self._entries):
            entry = self._entries[number]
            asked[self.engines_for(entry)].append((number, entry.owner))
        self._lines, self._places = defaultdict(list), {}
        for engines, waiting in asked.items():
            numbers = line(waiting, self._turns[engines])
            self._lines[engines] = [self._entries[number] for number in numbers]
            self._places.update({number: place for place, number in enumerate(numbers)})
