"""A bad journal entry, a disk that takes nothing, a worker that does not start: others go on."""

from __future__ import annotations

import json
import shutil
import sqlite3

import av
import pytest
from servers import ROOT, until
from takes import LONG, SHORT, rendering, request

from shared.client import job as job_module
from shared.client.client import Client

WAIT = 90.0


def test_an_entry_that_cannot_be_read_fails_and_the_next_job_runs(
    server, long_clip, short_clip, tmp_path
):
    with Client(server.address, patience=30) as client:
        first = rendering(client.shoot(request(LONG), [long_clip], tmp_path / "first.mp4"))
        bad = client.shoot(request(SHORT), [short_clip], tmp_path / "bad.mp4")
        until(lambda: bad.state.stage == "queued")
        server.kill()
        _spoil(server.state / "journal.sqlite", bad.id)
        server.start()
        good = client.shoot(request(SHORT), [short_clip], tmp_path / "good.mp4")
        first.cancel()
        assert good.wait(WAIT).stage == "finished"
        assert bad.wait(WAIT).error.code == "server_fault"


def test_a_cancel_is_not_forgotten_when_the_server_dies(server, long_clip, tmp_path):
    with Client(server.address, patience=30) as client:
        job = rendering(client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4"))
        server.worker().suspend()  # it hears the cancel, and cannot heed it
        job.cancel()
        until(lambda: job.state.stage == "cancelling")
        server.worker().kill()
        server.kill()
        server.start()
        assert job.wait(WAIT).stage == "cancelled"


@pytest.mark.parametrize("broken", ["raise SystemExit(3)", "import time; time.sleep(600)"])
def test_a_worker_that_does_not_start_is_said_to_whoever_waits(
    server, short_clip, tmp_path, monkeypatch, broken
):
    server.stop()
    code = shutil.copytree(ROOT / "inference_server", tmp_path / "code/inference_server")
    shutil.copytree(ROOT / "shared", tmp_path / "code/shared")
    (code / "worker/__main__.py").write_text(broken)
    with (code / "front/jobs/lane.py").open("a") as lane:
        lane.write("\nSTART_SECONDS = 2.0\n")
    said = server.start(code=tmp_path / "code").address
    monkeypatch.setattr(job_module, "QUIET_SECONDS", 600.0)  # told, not only when asked
    with Client(said, patience=30) as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
        until(lambda: "does not start" in job.state.engine_reason)
        assert "does not start" in client.server()["trouble"]
        job.cancel()
        assert job.wait(WAIT).stage == "cancelled"
    assert server.stop() == 0


def test_a_damaged_clip_is_called_by_its_name(server, long_clip, tmp_path):
    cut = tmp_path / "harbour.ts"
    whole = av.open(str(long_clip))
    with av.open(str(cut), "w") as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(whole.streams.video[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with Client(server.address, patience=30) as client:
        job = client.shoot(request(LONG, name="harbour.ts"), [cut], tmp_path / "take.mp4")
        state = job.wait(WAIT)
        error = state.error
        assert error, state
    assert error.code == "clip_truncated"
    assert error.sentence.startswith("harbour.ts ")


def _spoil(journal, job: str) -> None:
    database = sqlite3.connect(journal)
    (text,) = database.execute("SELECT body FROM jobs WHERE id = ?", (job,)).fetchone()
    body = json.loads(text)
    del body["first"]
    with database:
        database.execute("UPDATE jobs SET body = ? WHERE id = ?", (json.dumps(body), job))
    database.close()
