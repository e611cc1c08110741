"""A question to the person at the terminal, and a bar for each stage of a long work."""

from __future__ import annotations

import sys
from time import monotonic

from tqdm import tqdm

from shared.errors import RecamError

LINE_SECONDS = 2.0  # between two lines on how far a stage is, where there is no terminal


def confirmed(question: str, yes: bool) -> bool:
    """Whether the person says yes, or has said so before with ``--yes``.

    RecamError ``consent_missing`` where there is no terminal to ask at.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise RecamError("consent_missing", "Nobody is there to agree.", "Say --yes.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


class Bars:
    """A bar for each stage on a terminal; elsewhere a line for each, and now and then how far."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""
        self._said = 0.0

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, stage: str, done: int, total: int) -> None:
        """Told of a stage, how many bytes of it are done, and of how many (0: not known)."""
        if stage != self._stage:
            self.__exit__()
            self._stage = stage
            if not sys.stderr.isatty():
                self._say(f"{stage} …")
            self._bar = tqdm(
                desc=stage,
                total=total or None,
                initial=done,
                unit="B",
                unit_scale=True,
                leave=False,
                disable=None,
                bar_format=None if total else "{desc} …",
            )
        self._bar.update(done - self._bar.n)
        if total and not sys.stderr.isatty() and monotonic() - self._said >= LINE_SECONDS:
            self._say(f"{stage}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)
        self._said = monotonic()
