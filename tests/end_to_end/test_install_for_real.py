"""From nothing to a take: the local server fetched through pip's own index, started, used."""

from __future__ import annotations

import os
import socket
import time

import pytest

pytestmark = pytest.mark.skipif(
    not os.environ.get("RECAM_TEST_INSTALL"), reason="fetches 120 MB: make test-install does it"
)


@pytest.fixture
def task(addon):
    """Ticks the task under way to its end, which must be a good one."""

    def run():
        task = addon.local_server.current.task
        while task.tick() is not None:
            time.sleep(0.05)
        assert task.error is None, f"{task.error}\n{task.log.read_text()}"
        return task

    return run


def test_from_nothing_to_a_take(
    bpy, addon, keys, tmp_path, monkeypatch, at, task, camera, lay, clip, drive
):
    monkeypatch.setenv("RECAM_LOCAL", str(tmp_path / "local"))
    monkeypatch.setenv("RECAM_STATE", str(tmp_path / "state"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at(f"tcp://127.0.0.1:{free.getsockname()[1]}")
    system = bpy.context.preferences.system
    monkeypatch.setattr(system, "use_online_access", True)
    assert bpy.ops.recam.install_server(build="projection") == {"FINISHED"}
    task()
    assert addon.local_server.places.installed().build == "projection"
    assert bpy.ops.recam.start_server() == {"FINISHED"}
    task()
    assert bpy.ops.recam.check_server() == {"FINISHED"}
    task()
    assert any("`auto` would take projection." in s for s in addon.local_server.current.sentences)
    lay(clip)
    assert bpy.ops.recam.reshoot() == {"FINISHED"}
    job = drive(addon.jobs.running.jobs[-1])
    assert job.error is None and job.take
    assert bpy.ops.recam.stop_server() == {"FINISHED"}
    task()
    assert bpy.ops.recam.remove_server() == {"FINISHED"}
    task()
    assert not addon.local_server.places.environment().exists()
