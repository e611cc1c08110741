"""Leaving a command before its end: Ctrl-C, a pipe whose reader has enough."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from servers import ROOT, recam, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals and closes pipes")


def interrupted(server, *arguments) -> tuple[int, str]:
    """The exit status and what is said by a command that gets Ctrl-C while its job is rendered."""
    with subprocess.Popen(
        recam(*arguments),
        stderr=subprocess.PIPE,
        text=True,
        env=server.environment,
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        said = ""
        while "rendering" not in said and (line := process.stderr.readline()):
            said += line
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
    return process.returncode, said


def test_a_job_that_is_fetched_outlives_the_waiting_one_that_is_sent_does_not(
    server, long_clip, tmp_path
):
    words = (long_clip, "--camera", "pan_left", "-o", tmp_path / "take.mp4")
    job = server.run("submit", *words, "--detach").stdout.strip()
    status, said = interrupted(server, "fetch", job[:8], "-o", tmp_path / "take.mp4")
    assert status == 130 and f"`recam cancel {job}` ends it." in said
    assert f"`recam fetch {job} -o {tmp_path / 'take.mp4'}` takes it up again" in said
    assert "Traceback" not in said
    assert "cancel" not in server.run("jobs").stdout
    assert "cancelled" in server.run("cancel", job).stdout
    status, said = interrupted(server, "submit", *words)
    assert status == 130 and "The job was cancelled." in said
    until(lambda: server.run("jobs").stdout.count("cancelled") == 2)


@pytest.mark.parametrize("command", ["jobs", "status", "--version"])
def test_a_reader_that_has_enough_is_no_fault(shared_server, command):
    gone, pipe = os.pipe()
    os.close(gone)
    done = subprocess.run(
        recam(command), stdout=pipe, stderr=-1, env=shared_server.environment, cwd=ROOT, check=False
    )
    os.close(pipe)
    assert done.stderr == b"", done.stderr
