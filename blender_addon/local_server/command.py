"""A program at work: its output read as it comes, without waiting. Knows no Blender."""

from __future__ import annotations

from pathlib import Path

from .processes import kill_tree, spawn


class Command:
    """A command that runs, its output in ``log``. Raises OSError if it cannot be started."""

    def __init__(self, command: list[str], log: Path, *, anew: bool = False) -> None:
        begin = log.stat().st_size if log.exists() and not anew else 0
        self._process = spawn(command, log, anew=anew)
        self._output = log.open("rb")
        self._output.seek(begin)
        self._rest = b""

    def read(self) -> list[str]:
        """The whole lines that have come since the last call."""
        *lines, self._rest = (self._rest + self._output.read()).replace(b"\r", b"\n").split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in lines if line.strip()]

    @property
    def code(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """End it, if it has not ended, with all that it has started."""
        kill_tree(self._process)
        self._output.close()
