"""The short form of tests/stress/kills.py."""

from __future__ import annotations

from .kills import run
from .running import bounded
from .table import text


def test_each_job_ends_once_whoever_is_killed():
    with bounded(300):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
