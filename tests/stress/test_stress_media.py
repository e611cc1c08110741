"""The short form of tests/stress/media."""

from __future__ import annotations

import os

import pytest

from .media import run
from .running import bounded
from .table import text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="reads each file in a forked process")
def test_hostile_files_end_in_an_error_or_a_take_and_lead_nowhere():
    with bounded(100):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
