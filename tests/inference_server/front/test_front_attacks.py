"""What a client that is let in may try against the server and the others; each by itself."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import sys
from contextlib import closing, suppress

import psutil
import pytest
import servers
from test_front_limits import limited_server, plain_client  # noqa: F401 - a fixture
from test_front_protocol import FRAMES, STILL, job_body, shot


def ended(client, job: str) -> dict:
    while True:
        state = client.next_event()
        if state["job"] == job and state["stage"] in ("finished", "failed", "cancelled"):
            return state


def test_a_shot_that_is_no_json_elsewhere_takes_no_worker_down(server, short_clip):
    plain, worker = plain_client(server), server.worker()
    digest = plain.upload(short_clip.read_bytes(), secrets.token_hex(16))
    row = json.dumps(STILL)
    # A row of numbers in a string, with a line break that JSON does not have there.
    told = shot().decode().replace(row, "0", 1)
    odd = f'{told[:-1]}, "take": "{row[:-1]}\n]"}}'.encode()
    breaks_out = shot() + b', "out": "/tmp/out.mp4", "clips": ["/etc/passwd"]'
    assert json.loads(told)["trajectory"]["poses"].count(0) == 1 and FRAMES > 1
    body = job_body([digest])
    kind, error, _ = plain.ask("job.submit", body, breaks_out)
    assert (kind, error["code"]) == ("error", "bad_message")
    body = job_body([digest])
    if plain.ask("job.submit", body, odd)[0] == "job.accepted":
        assert (ended(plain, body["job"])["error"] or {}).get("code") != "worker_died"
    assert worker.is_running() and server.worker().pid == worker.pid
    body = job_body([digest], settings={})
    assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
    assert ended(plain, body["job"])["stage"] == "finished"
    plain.close()


def test_uploads_that_begin_at_once_are_no_more_than_those_that_begin_in_turn(server):
    plain = plain_client(server)
    for _ in range(40):
        plain.send("blob.put", {"upload": secrets.token_hex(16), "size": 9, "sha256": None})
    kinds = [plain.receive()[0]["type"] for _ in range(40)]
    assert kinds.count("blob.go") == 8 and kinds.count("error") == 32
    assert len([*server.state.glob("uploads/*/*")]) == 8
    plain.close()


def test_jobs_that_are_called_off_fill_no_disk(limited_server, short_clip):  # noqa: F811
    server = limited_server(f"ended_per_client=3, shots_per_client={len(shot()) * 3 // 2}")
    plain = plain_client(server)
    digest = plain.upload(short_clip.read_bytes(), secrets.token_hex(16))
    worker = server.worker()
    worker.suspend()
    bodies = [job_body([digest]) for _ in range(6)]
    for body in bodies:
        assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
        more = plain.ask("job.submit", job_body([digest]), shot())
        assert more[1]["code"] == "client_limit" and "cameras" in more[1]["sentence"]
        plain.ask("job.cancel", {"job": body["job"]})
    kept = [each["job"] for each in plain.ask("job.list", {})[1]["jobs"]]
    assert kept == [body["job"] for body in bodies[:1:-1]][: len(kept)] and len(kept) == 4
    plain.close()
    server.kill()
    with suppress(psutil.NoSuchProcess):
        worker.kill()  # stopped before it had asked the system to end it with its front
    with closing(sqlite3.connect(server.state / "journal.sqlite")) as journal:
        assert {*journal.execute("SELECT LENGTH(shot) FROM jobs")} == {(0,)}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_other_users_see_no_footage_and_give_no_code(tmp_path, monkeypatch, short_clip):
    made = servers.Server(tmp_path / "server")
    monkeypatch.setenv("RECAM_CONFIG", str(made.config))
    monkeypatch.setenv("PYTHONPATH", str(servers.ROOT))
    command = [sys.executable, "-P", "-m", "inference_server.cli"]  # as where it is installed
    monkeypatch.setattr(servers, "recam", lambda *words: [*command, *map(str, words)])
    made.state.mkdir(mode=0o755)
    public = tmp_path / "public"
    public.mkdir()
    for name in ("av", "numpy", "inference_server"):
        (public / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    made.start(code=public)
    try:
        plain = plain_client(made)
        digest = plain.upload(short_clip.read_bytes(), secrets.token_hex(16))
        body = job_body([digest])
        assert plain.ask("job.submit", body, shot())[0] == "job.accepted"
        assert ended(plain, body["job"])["stage"] == "finished"
        plain.close()
        assert not (tmp_path / "ran").exists()
        there = [*made.state.rglob("*")]
        assert any(path.name == digest for path in there)
        assert not [path for path in there if path.stat().st_mode & 0o077]
    finally:
        made.stop()
