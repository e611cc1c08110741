"""Run the sections that are named, or all of them; exit status 1 if a bound does not hold."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.free_room import STRESS_GB, room_missing

from .running import bounded
from .table import Row, machine, text, write

# In the order in which they are run. Each is a module with ``run(short) -> list[Row]``, and
# ``SECONDS``, if it needs other than DEFAULT_SECONDS.
SECTIONS = ("kills", "proxy", "clients", "memory", "keys", "disks", "messages", "media")
DEFAULT_SECONDS = 600.0
PAGE = Path(__file__).resolve().parents[2] / "docs/reliability.md"


def main(arguments: list[str]) -> int:
    """Run, print, and write into the docs if asked to; the exit status."""
    there = [name for name in SECTIONS if find_spec(f"{__package__}.{name}")]
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"some of: {', '.join(there)}")
    parser.add_argument("--short", action="store_true", help="the small form that the tests run")
    parser.add_argument("--write", action="store_true", help="put the figures into the docs")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.section) - set(there):
        parser.error(f"no section is named {', '.join(sorted(unknown))}; there are {there}")
    if asked.short and asked.write:
        parser.error("the docs tell of full runs alone")
    if missing := room_missing(STRESS_GB):
        sys.exit(missing)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored
        signal.signal(number, signal.default_int_handler)
    print(machine())
    found: dict[str, list[Row]] = {}
    began = time.monotonic()
    try:
        for name in asked.section or there:
            found[name] = run(name, asked.short)
            if asked.write and not write(PAGE, name, found[name], f"make stress SECTION={name}"):
                print(f"{PAGE.name} has no place for {name}.")
    except KeyboardInterrupt:
        print("Stopped; what was running is ended.", file=sys.stderr)
    rows = [row for rows in found.values() for row in rows]
    print(f"\n{text(rows)}\n\n{time.monotonic() - began:.0f} seconds in all")
    complete = len(found) == len(asked.section or there)
    return 0 if complete and all(row.ok for row in rows) else 1


def run(name: str, short: bool) -> list[Row]:
    """The rows of one section, printed too; one that breaks off has a row that does not hold."""
    section = import_module(f".{name}", __package__)
    print(f"{name}: {section.__doc__.splitlines()[0]}", flush=True)
    began = time.monotonic()
    try:
        with bounded(getattr(section, "SECONDS", DEFAULT_SECONDS)):
            rows = section.run(short)
    except Exception as error:
        traceback.print_exc()
        rows = [Row(f"{name} breaks off", f"{type(error).__name__}: {error}", "never", False)]
    print(f"{text(rows)}\n  {time.monotonic() - began:.0f} seconds", flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
