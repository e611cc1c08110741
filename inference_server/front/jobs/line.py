"""Whose job is next: round robin between owners, each owner's jobs in the order they came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping


def line(waiting: Iterable[tuple[int, str]], turns: Mapping[str, int]) -> list[int]:
    """The numbers of the jobs that wait, in the order in which they will be served.

    waiting: number and owner of each, in the order of their numbers, which is that of coming in.
    turns: when each owner was last served: the newest turn that a job of theirs was given, where
        the first job ever to be started has turn 1, the next one turn 2 and so on. An owner who
        was never served is not in it. Turns, not times: a clock that is set back changes nothing.

    An owner's first job comes before any owner's second; of those that are an owner's first, that
    of the owner served least lately. So nobody waits for more than one job of every other owner,
    however many these have sent, and whoever comes new or comes back is not put off by it.
    """
    jobs_so_far: Counter[str] = Counter()
    placed = []
    first: dict[str, int] = {}
    for number, owner in waiting:
        first.setdefault(owner, number)
        placed.append((jobs_so_far[owner], turns.get(owner, 0), first[owner], number))
        jobs_so_far[owner] += 1
    return [number for *_, number in sorted(placed)]
