"""The short form of tests/stress/proxy.py."""

from __future__ import annotations

from .proxy import run
from .running import bounded
from .table import text


def test_each_job_ends_once_over_a_broken_network_and_transfers_go_on_where_they_stood():
    with bounded(300):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
