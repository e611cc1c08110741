"""The short form of tests/stress/clients.py."""

from __future__ import annotations

import sys

import pytest

from .clients import run
from .running import bounded
from .table import text


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read as Linux tells it")
def test_many_clients_are_served_in_turn_and_cost_the_front_little():
    with bounded(300):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
