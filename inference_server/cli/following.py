"""A job as a person at the command line sees it: a bar on a terminal, elsewhere lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from time import monotonic

from tqdm import tqdm

from shared.client.job import RemoteJob
from shared.client.state import JobState
from shared.words import counted

LINE_PERCENT = 10  # from one line to the next where there is no terminal …
LINE_SECONDS = 30.0  # … and at the most


def follow(
    job: RemoteJob, said: list[str], through: Callable[[JobState], bool] = lambda state: True
) -> JobState:
    """Show each stage, and what the engine does in it, until the job ends.

    said: remarks that need not be printed; grows by those that are, as they come.
    through: whether to go on from there, while the job has not ended.
    """
    shown, reason, trouble = (_Bars if sys.stderr.isatty() else _Lines)(), "", ""
    try:
        while True:
            state = job.wait(0.1)
            if state.trouble != trouble and not state.ended:
                trouble = state.trouble
                _write(trouble or "It goes on.")
            if state.engine_reason != reason:
                reason = state.engine_reason
                engine = f"Engine: {state.engine}. " if state.engine else ""
                _write(f"{engine}{reason}")
            said += say(state.remarks, said)
            if state.ended or not through(state):
                return state
            shown.show(state)
    finally:
        shown.close()


def say(remarks: Iterable[str], said: Iterable[str] = ()) -> list[str]:
    """Print those remarks that are not among ``said``; what was printed."""
    new = [remark for remark in remarks if remark not in said]
    for remark in new:
        _write(f"Note: {remark}")
    return new


class _Lines:
    """A line for each stage, for each tenth of it, and now and then where that takes long."""

    def __init__(self) -> None:
        self._stage, self._percent, self._said = "connecting", 0, monotonic()

    def show(self, state: JobState) -> None:
        what = _what(state)
        percent = 100 * state.step // state.steps if state.steps else 0
        if what != self._stage:
            self._stage, self._percent, self._said = what, percent, monotonic()
            _write(f"{what}, {percent} %" if percent else f"{what} …")
        elif percent >= self._percent + LINE_PERCENT or monotonic() - self._said >= LINE_SECONDS:
            self._percent, self._said = percent, monotonic()
            _write(f"{what}, {percent} %{_left(state)}" if state.steps else f"{what} …")

    def close(self) -> None:
        """Nothing is held."""


class _Bars:
    """A bar for each stage."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def show(self, state: JobState) -> None:
        if (what := _what(state)) != self._stage:
            self.close()
            self._stage, self._bar = what, _bar(what, state)
        self._bar.bar_format = _format(state)
        self._bar.total, self._bar.n = state.steps or None, state.step
        self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _what(state: JobState) -> str:
    """What is going on, in a word or two; in the queue, behind how many."""
    if state.stage == "queued" and state.ahead:
        return f"queued, {counted(state.ahead, 'job')} ahead"
    return state.doing or state.stage


def _bar(what: str, state: JobState) -> tqdm:
    in_bytes = state.stage in ("uploading", "downloading")
    unit = "B" if in_bytes else " frames"
    return tqdm(desc=what, unit=unit, unit_scale=in_bytes, leave=False)


def _format(state: JobState) -> str | None:
    """How the bar is drawn, None for tqdm's own way."""
    if not state.steps:  # in the queue, or before the first frame
        return "{desc} …"
    if not state.doing:
        return None
    # An engine's steps are no frames, and were begun before this bar.
    return "{desc}: {percentage:3.0f}%|{bar}|" + _left(state)


def _left(state: JobState) -> str:
    if state.seconds_left is None:
        return ""
    return f" {tqdm.format_interval(state.seconds_left)} left"


def _write(line: str) -> None:
    tqdm.write(line, file=sys.stderr)
    sys.stderr.flush()
