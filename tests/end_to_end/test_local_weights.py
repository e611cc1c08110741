"""The model's weights fetched from Blender, from a real hub on this machine."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def hub(server_python, monkeypatch):
    """A hub on this machine that has the miniature release, and takes its time over it."""
    look = "import sys, importlib.util as u; sys.exit(u.find_spec('torch') is None)"
    if subprocess.run([server_python, "-c", look]).returncode:
        pytest.skip("the server's Python has no PyTorch: install Recam's “model” extra there")
    serve = "import sys, hub_server as h; a = h.Hub(); a.pace = 1_000_000; print(a.url, flush=True)"
    process = subprocess.Popen(
        [server_python, "-c", f"{serve}; sys.stdin.read()"],
        cwd=ROOT / "tests/inference_server/releases",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    monkeypatch.setenv("HF_ENDPOINT", process.stdout.readline().strip())
    yield
    process.kill()
    process.communicate()


def test_weights_are_fetched_and_it_is_told_how_far(bpy, local, hub, monkeypatch):
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", True)
    assert bpy.ops.recam.install_weights() == {"FINISHED"}
    task, stands = local.local_server.current.task, set()

    while task.tick() is not None:
        stands.add(task.stand)
        time.sleep(0.05)
    assert task.error is None, task.log.read_text()
    assert "is in place, checked and complete" in task.stand.words
    assert [stand for stand in stands if stand.share and " MB" in stand.words]
    assert list((Path(os.environ["RECAM_STATE"]) / "releases").rglob("*.safetensors"))
