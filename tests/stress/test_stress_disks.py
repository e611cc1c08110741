"""tests/stress/disks.py, which is short as it is."""

from __future__ import annotations

import pytest

from .running import bounded
from .small_disk import possible
from .table import text


@pytest.mark.skipif(bool(possible()), reason=f"no small disk here: {possible()}")
def test_a_full_disk_a_worker_that_hangs_and_memory_that_runs_out_cost_no_job():
    from .disks import run  # imports what Windows does not have

    with bounded(300):
        rows = run(short=True)
    assert all(row.ok for row in rows), text(rows)
