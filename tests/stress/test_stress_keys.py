"""The short form of tests/stress/keys.py."""

from __future__ import annotations

from .keys import run
from .running import bounded
from .table import text


def test_nobody_comes_in_whose_key_is_not_listed_or_sees_what_is_anothers():
    with bounded(300):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
