"""The short form of tests/stress/memory.py."""

from __future__ import annotations

from .memory import run
from .running import bounded
from .table import text


def test_the_front_stays_small_whatever_its_clients_do():
    with bounded(100):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
