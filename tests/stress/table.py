"""What was found, and what must hold: one row each, for the terminal and for the docs."""

from __future__ import annotations

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """What was looked at, the figure found, the bound in signs (or nothing), whether it holds."""

    what: str
    figure: str
    bound: str
    ok: bool


def text(rows: list[Row]) -> str:
    """The rows for the terminal, in columns."""
    widths = [max([len(getattr(row, name)) for row in rows], default=0) for name in _COLUMNS]
    return "\n".join(
        "  ".join(
            [getattr(row, name).ljust(width) for name, width in zip(_COLUMNS, widths, strict=True)]
            + ["ok" if row.ok else "DOES NOT HOLD"]
        )
        for row in rows
    )


def markdown(rows: list[Row], command: str) -> str:
    """The rows as a table of Markdown, and below it how, where and when they were found."""
    lines = ["| what | found | bound | |", "| --- | --- | --- | --- |"]
    for row in rows:
        cells = [getattr(row, name).replace("|", "\\|") for name in _COLUMNS]
        lines.append(f"| {' | '.join(cells)} | {'ok' if row.ok else '**does not hold**'} |")
    return "\n".join([*lines, "", f"`{command}`, {time.strftime('%Y-%m-%d')}, {machine()}."])


def machine() -> str:
    """This machine in words: its processor, memory, system and Python; no name of it."""
    cores = f"{os.cpu_count()} cores"
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        cores += f", {memory:.0f} GiB"
    except (AttributeError, ValueError, OSError):
        pass  # Windows does not tell it so
    return (
        f"{cores}, {platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    )


def write(page: Path, section: str, rows: list[Row], command: str) -> bool:
    """Put the rows into ``page`` between the section's markers; False if it has none.

    The markers are ``<!-- stress: SECTION -->`` and ``<!-- end -->``, each on a line of its own.
    """
    whole = page.read_text(encoding="utf-8")
    between = re.compile(rf"(<!-- stress: {re.escape(section)} -->\n).*?(<!-- end -->)", re.DOTALL)
    table = markdown(rows, command)
    changed, times = between.subn(lambda found: f"{found[1]}{table}\n{found[2]}", whole)
    page.write_text(changed, encoding="utf-8")
    return bool(times)


_COLUMNS = ("what", "figure", "bound")
