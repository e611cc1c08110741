"""The short form of tests/stress/messages.py."""

from __future__ import annotations

from .messages import run
from .running import bounded
from .table import text


def test_malformed_messages_and_pickles_are_refused_and_the_next_valid_job_is_served():
    with bounded(100):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
