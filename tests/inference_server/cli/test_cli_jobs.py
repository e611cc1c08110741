"""``recam jobs``, ``recam cancel`` and ``recam doctor`` as a person reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import until

from inference_server.cli import doctor


def test_jobs_are_listed_with_where_they_stand_and_cancelled(server, long_clip, tmp_path):
    assert server.run("jobs").stdout == "No jobs.\n"
    submit = ("submit", long_clip, "--camera", "pan_left", "--detach", "-o", tmp_path / "take.mp4")
    first, second = (server.run(*submit).stdout.strip() for _ in range(2))
    listed = until(
        lambda: re.search(r"rendering \d+ %.*", shown := server.run("jobs").stdout) and shown
    )
    newest, oldest = listed.splitlines()
    assert newest.startswith(second) and "queued, 1 ahead" in newest
    assert oldest.startswith(first) and oldest.endswith("long.mp4")
    for job in (first, second):
        assert server.run("cancel", job).stdout == "The job is cancelled.\n"
    assert server.run("jobs").stdout.count("cancelled") == 2


@pytest.mark.parametrize("job", ["0" * 32, "take-7", "../../etc"])
@pytest.mark.parametrize("command", ["cancel", "fetch"])
def test_a_job_that_is_not_there_is_said(shared_server, tmp_path, command, job):
    out = ("-o", tmp_path / "take.mp4") if command == "fetch" else ()
    done = shared_server.run(command, job, *out)
    assert done.returncode == 1
    assert job in done.stderr and "recam jobs" in done.stderr


def test_the_doctor_speaks_in_sentences(shared_server):
    done = shared_server.run("doctor")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.endswith((".", ".0")) for line in lines), lines
    said = done.stdout
    for words in (
        "Python 3.",
        "pyzmq",
        "The CPU has",
        "The engine projection can run",
        "recammaster",
        str(shared_server.config),
        str(shared_server.state),
        f"A server answers at {shared_server.address}",
        "`auto` would take",
    ):
        assert words in said, words


def test_the_doctor_says_what_is_missing(shared_server, tmp_path):
    away = shared_server.environment | {"RECAM_SERVER": "tcp://127.0.0.1:9"}
    done = shared_server.run("doctor", "--releases", tmp_path, env=away)
    assert done.returncode == 0
    assert "No Recam server has answered at tcp://127.0.0.1:9" in done.stdout
    assert f"no weights are installed in {tmp_path}; `recam weights install`" in done.stdout
    (tmp_path / "ReCamMaster").mkdir()
    done = shared_server.run("doctor", "--releases", tmp_path, env=away)
    assert re.search(f"Missing from {re.escape(str(tmp_path))}.*safetensors", done.stdout)


def test_the_doctor_says_that_a_key_is_damaged(shared_server, tmp_path):
    (tmp_path / "client.key").write_text("damaged")
    done = shared_server.run(
        "doctor", env=shared_server.environment | {"RECAM_CONFIG": str(tmp_path)}
    )
    assert "client.key" in done.stdout and "damaged" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_doctor_says_that_a_drive_is_not_there(monkeypatch):
    with monkeypatch.context() as windows:
        windows.setattr(Path, "exists", lambda path: False)
        said = doctor._disk()
    assert said.endswith("on a drive that is not there.")
