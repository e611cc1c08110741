"""An artist whose key the server does not know yet, or no longer: in words, and then let in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from slow_engine import copy_code

ROOT = Path(__file__).resolve().parents[2]
CLIPS = ROOT / "tests" / "clips"


class Keeper:
    """Another user's server, and that user at its command line."""

    def __init__(self, python: str, folder: Path, new_server) -> None:
        (folder / "server").mkdir(parents=True)
        self.config = folder / "config"
        self._python = python
        code = copy_code(folder / "code")  # whose jobs take a moment
        self.server = new_server(folder / "server", code, RECAM_CONFIG=str(self.config))

    def keys(self, *arguments) -> None:
        """``recam keys …``"""
        subprocess.run(
            [self._python, "-m", "inference_server.cli", "keys", *map(str, arguments)],
            env=os.environ | {"RECAM_CONFIG": str(self.config)},
            cwd=ROOT,
            check=True,
            capture_output=True,
        )


@pytest.fixture
def keeper(server_python, new_server, tmp_path, addon):
    made = Keeper(server_python, tmp_path / "keeper", new_server)
    yield made
    addon.jobs.session.close()
    made.server.stop()


def test_an_unlisted_artist_reads_why_and_gets_in_without_a_restart(
    addon,
    sequence,
    clip,
    camera,
    lay,
    saved,
    reshoot,
    at,
    keys,
    keeper,
    drive,
    take_of,
    monkeypatch,
):
    monkeypatch.setattr(addon.shared.client.connection, "REFUSED_SECONDS", (0.2, 1.0))
    preferences = addon.preferences.preferences()
    lay(clip)
    at(keeper.server.address)
    preferences.server_key = (keeper.config / "server.pub").read_text()
    try:
        job = drive(reshoot(), seconds=20)
        assert job.error.code == "key_refused" and "recam keys allow" in job.error.hint
        keeper.keys("allow", "artist", keys / "client.pub")
        assert take_of(reshoot(), sequence).name == "shot take 1"
    finally:
        preferences.server_key = ""


def test_a_job_whose_key_is_revoked_says_so_and_hears_of_its_end_once_let_in_again(
    addon, sequence, camera, lay, saved, reshoot, at, keys, keeper, drive, monkeypatch
):
    monkeypatch.setattr(addon.shared.client.connection, "REFUSED_SECONDS", (2.0, 10.0))
    monkeypatch.setattr(addon.shared.client.job, "QUIET_SECONDS", 0.5)
    preferences = addon.preferences.preferences()
    keeper.keys("allow", "artist", keys / "client.pub")
    lay(CLIPS / "cityCC0.mpg", frames=100)
    at(keeper.server.address)
    preferences.server_key = (keeper.config / "server.pub").read_text()
    try:
        job = reshoot()
        drive(job, until=lambda: job.stand.stage in ("queued", "rendering"))
        keeper.keys("revoke", "artist")
        drive(job, until=lambda: "key in" in job.stand.trouble, seconds=20)
        shutil.copy(keys / "client.pub", keeper.config / "clients" / "artist.pub")
        drive(job, seconds=20)
        assert job.stand.stage == "cancelled"
        monkeypatch.setattr(addon.shared.client.connection, "REFUSED_SECONDS", (0.2, 1.0))
        job = reshoot()
        drive(job, until=lambda: job.stand.stage in ("queued", "rendering"))
        keeper.keys("revoke", "artist")
        drive(job, seconds=20)
        assert job.error.code == "key_revoked"
        kept = addon.jobs.records.read(addon.jobs.belonging.folder(), job.id)
        assert kept.error[0] == "key_revoked"
    finally:
        preferences.server_key = ""
