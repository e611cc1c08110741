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
    """A hub on this machine with the miniature release, which takes its time; call it to hurry."""
    look = "import sys, importlib.util as u; sys.exit(u.find_spec('torch') is None)"
    if subprocess.run([server_python, "-c", look]).returncode:
        pytest.skip("the server's Python has no PyTorch: install Recam's “model” extra there")
    serve = (
        "import sys, hub_server; hub = hub_server.Hub(); hub.pace = 1_000_000; "
        "print(hub.url, flush=True); sys.stdin.readline(); hub.pace = 0; sys.stdin.read()"
    )
    process = subprocess.Popen(
        [server_python, "-c", serve],
        cwd=ROOT / "tests/inference_server/releases",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    monkeypatch.setenv("HF_ENDPOINT", process.stdout.readline().strip())
    yield lambda: print(file=process.stdin, flush=True)
    process.kill()
    process.communicate()


def test_weights_are_fetched_and_it_is_told_how_far(bpy, local, hub, monkeypatch):
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", True)
    assert bpy.ops.recam.install_weights() == {"FINISHED"}
    task, told = local.local_server.current.task, False

    while task.tick() is not None:
        if not told and task.stand.share and " MB" in task.stand.words:
            told = True
            hub()
        time.sleep(0.02)
    assert task.error is None, task.log.read_text()
    assert "is in place, checked and complete" in task.stand.words
    assert told
    assert list((Path(os.environ["RECAM_STATE"]) / "releases").rglob("*.safetensors"))
