"""``recam weights install`` in a process of its own: killed, twice at once, on a small disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest
from hub_server import VAE
from servers import until

from inference_server.cli import main
from inference_server.releases.hub import CHUNK
from inference_server.releases.layout import find_release

RECAM = (sys.executable, "-m", "inference_server.cli")


def _start(releases, *before: str) -> subprocess.Popen:
    """Start an install; ``before``: a command that is to run it."""
    return subprocess.Popen(
        [*before, *RECAM, "weights", "install", "--yes", "--releases", str(releases)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_killed_in_mid_file_it_goes_on_and_another_must_wait_meanwhile(hub, tmp_path, capsys):
    hub.pace = 4_000_000
    process = _start(tmp_path)
    try:
        until(lambda: hub.sent[VAE] > 2_800_000 or process.poll() is not None, 60)
        assert main(["weights", "install", "--yes", "--releases", str(tmp_path)]) == 1
        assert "Another `recam weights` is at work" in capsys.readouterr().err
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (tmp_path / "recammaster").exists()
    assert main(["weights", "list", "--releases", str(tmp_path)]) == 0
    assert "recammaster: an unfinished install" in capsys.readouterr().out
    sent, hub.pace = hub.sent[VAE], 0
    assert main(["weights", "install", "--yes", "--releases", str(tmp_path)]) == 0
    assert find_release(tmp_path / "recammaster").layout == "recam"
    # What the killed process had not yet written, and what was on its way to it, is sent again.
    assert hub.sent[VAE] - len(hub.files[VAE]) <= CHUNK + (1 << 19) < sent


def _on_a_small_disk(folder, size: int) -> tuple[str, ...]:
    """A command that runs another one, for which ``folder`` is a disk of ``size`` bytes."""
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "{folder}" && exec "$@"'
    before = ("unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh")
    if not shutil.which("unshare") or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("no small disk can be had here")
    return before


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(hub, tmp_path):
    process = _start(tmp_path / "disk", *_on_a_small_disk(tmp_path / "disk", 6 << 20))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    # The VAE's download and what is made of it lie side by side, beside the smaller parts.
    assert "8.5 MB must be free in" in said and "6.3 MB are" in said
    assert sum(hub.asked.values()) == 0
