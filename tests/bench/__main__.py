"""Run the benchmarks that are named, or all of them, and print what they found."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib import import_module
from importlib.metadata import version

from tests.free_room import BENCH_GB, room_missing

from .figures import table

BENCHMARKS = ("wire", "submit", "memory", "projection", "video", "front", "model")


def main(names: list[str]) -> None:
    """Print each figure as it is found, and all of them as a table at the end."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"No benchmark is named {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
    if missing := room_missing(BENCH_GB):
        sys.exit(missing)
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "av", "pyzmq"))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; ", end="")
    print(f"Python {platform.python_version()}, {packages}")
    figures, began = [], time.perf_counter()
    for name in names or BENCHMARKS:
        print(f"{name}: {import_module(f'.{name}', __package__).__doc__.splitlines()[0]}")
        for figure in import_module(f".{name}", __package__).run():
            print(figure.line(), flush=True)
            figures.append(figure)
    print(f"\n{table(figures)}\n\n{time.perf_counter() - began:.0f} seconds in all")


if __name__ == "__main__":
    main(sys.argv[1:])
