"""Figures for Prometheus from a real server, read with its own parser, on this machine alone."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from servers import recam
from takes import SHORT, another_user, request

from shared.client.client import Client
from shared.errors import RecamError

WAIT = 60.0


@pytest.fixture
def measured(server):
    """A server that serves its figures; where."""
    server.stop()
    server.start(more=["--metrics-port", "0"])
    lines = (server.state / "log/recam.log").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    return urlsplit(next(r["address"] for r in said if r["message"] == "metrics are served"))


def answer(where, host: str | None = None) -> tuple[int, str]:
    connection = HTTPConnection(where.hostname, where.port, timeout=WAIT)
    connection.request("GET", where.path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def figures(where) -> dict[tuple, float]:
    found = {}
    for family in text_string_to_metric_families(answer(where)[1]):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.items())] = sample.value
    return found


def test_what_happens_is_counted(server, measured, short_clip, tmp_path, monkeypatch):
    before = figures(measured)
    assert before["recam_jobs_total", ("stage", "finished")] == 0
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(b"no video")
    with Client(server.address, patience=30) as client:
        job = client.shoot(request(SHORT, name="secret"), [short_clip], tmp_path / "o.mp4")
        assert job.wait(WAIT).stage == "finished"
        assert client.shoot(request(SHORT), [torn], tmp_path / "t.mp4").wait(WAIT).error
        with pytest.raises(RecamError):
            client.cancel("0" * 32)
    with (
        another_user(server, tmp_path / "another", monkeypatch, known=False) as key,
        Client(server.address, key, patience=30) as stranger,
        pytest.raises(RecamError, match="does not let"),
    ):
        stranger.server()

    after = figures(measured)
    assert after["recam_jobs_accepted_total",] == 2
    assert after["recam_jobs_total", ("stage", "finished")] == 1
    assert after["recam_jobs_total", ("stage", "failed")] == 1
    assert after["recam_job_failures_total", ("code", "clip_unreadable")] == 1
    assert after["recam_errors_total", ("code", "no_such_job")] == 1
    assert after["recam_requests_total", ("type", "job.submit")] == 2
    assert after["recam_job_seconds_count", ("engine", "projection")] == 1
    assert after["recam_job_seconds_bucket", ("engine", "projection"), ("le", "+Inf")] == 1
    assert after["recam_keys_refused_total",] >= 1
    assert after["recam_bytes_received_total",] > short_clip.stat().st_size
    assert after["recam_bytes_sent_total",] > (tmp_path / "o.mp4").stat().st_size
    assert after["recam_process_resident_memory_bytes", ("process", "front")] > 10e6
    assert after["recam_worker_up", ("lane", "preview")] == 1
    assert after["recam_disk_free_bytes",] > 0
    text = answer(measured)[1]
    assert job.id not in text and "secret" not in text


def test_only_who_addresses_this_machine_is_answered(measured):
    assert answer(measured, "localhost:1")[0] == 200
    assert answer(measured, "rebound.example")[0] == 421
    assert "recam_" not in answer(measured, "rebound.example")[1]
    with socket.socket() as beyond, pytest.raises(OSError):
        beyond.settimeout(WAIT)
        beyond.connect((own_address(), measured.port))


def own_address() -> str:
    """This machine's address towards others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as towards:
        try:
            towards.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no network")
        return towards.getsockname()[0]


def test_a_port_that_is_taken_and_a_package_that_is_missing_are_said(server, tmp_path):
    server.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = server.run("serve", "--port", 0, "--metrics-port", port)
    assert done.returncode == 1 and f"cannot be served at port {port}" in done.stderr
    without = tmp_path / "without/prometheus_client"
    without.mkdir(parents=True)
    (without / "__init__.py").write_text("raise ImportError('not here')")
    environment = server.environment | {"PYTHONPATH": str(without.parent)}
    command = recam("serve", "--port", 0, "--metrics-port", 0)
    assert command[0] == sys.executable
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WAIT)
    assert done.returncode == 1
    assert "pip install prometheus-client" in done.stderr
