"""How a server starts, refuses to start, and leaves nothing running."""

from __future__ import annotations

import shutil
import subprocess
import sys

import psutil
import pytest
from servers import ROOT, recam, until
from takes import SHORT, request

from shared.client.client import Client

NEVER_IN_THE_FRONT = {"torch", "av", "cv2", "matplotlib", "diffusers", "transformers"}


def test_the_front_needs_neither_torch_nor_codecs():
    script = """
import sys
from inference_server.cli import main
try:
    main(["serve", "--help"])
except SystemExit:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    modules = set(done.stdout.split())
    assert "inference_server.front.server" in modules
    assert not modules & NEVER_IN_THE_FRONT


def test_a_second_server_on_one_state_folder_is_refused(shared_server):
    second = shared_server.run("serve", "--port", "0")
    assert second.returncode == 1
    assert str(shared_server.state) in second.stderr and "another server" in second.stderr
    assert "Traceback" not in second.stderr


def test_all_that_a_server_keeps_is_in_the_folder_that_it_was_given(server, short_clip, tmp_path):
    server.stop()
    shutil.rmtree(server.state)
    given = tmp_path / "given"
    (given / "prompts").mkdir(parents=True)
    server.start(more=["--state", given])
    assert server.worker().environ()["RECAM_STATE"] == str(given)
    with Client(server.address) as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
        assert job.wait(60).stage == "finished"
        prompt = given / "prompts" / "prompt-1.safetensors"
        prompt.touch()
        client.delivered(job.id, delete=True).result(30)
    assert not prompt.exists() and not server.state.exists()


def test_a_port_that_is_taken_is_named(shared_server, tmp_path):
    second = shared_server.run("serve", "--port", shared_server.port, "--state", tmp_path / "other")
    assert second.returncode == 1
    assert str(shared_server.port) in second.stderr and "--port" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_damaged_journal_is_named(shared_server, tmp_path):
    (tmp_path / "journal.sqlite").write_bytes(b"this is no journal" * 100)
    done = shared_server.run("serve", "--port", "0", "--state", tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / "journal.sqlite") in done.stderr and "Traceback" not in done.stderr


def test_a_state_folder_that_cannot_be_made_is_named(shared_server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = shared_server.run("serve", "--port", "0", "--state", tmp_path / "file" / "state")
    assert done.returncode == 1
    assert str(tmp_path / "file" / "state") in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [("--port", "99999"), ("--port", "-1"), ("--host", "no such host"), ("--host", "300.1.1.1")],
    ids=str,
)
def test_an_address_that_is_none_is_named(shared_server, tmp_path, wrong):
    done = shared_server.run("serve", "--state", tmp_path, *wrong)
    assert done.returncode in (1, 2)
    assert wrong[1] in done.stderr and "Traceback" not in done.stderr
    if wrong[0] == "--host":
        assert f"cannot listen at tcp://{wrong[1]}:" in done.stderr
        assert len(done.stderr.splitlines()) == 1 and "no such address" in done.stderr


def test_a_folder_of_weights_that_is_not_there_is_said(server, tmp_path):
    server.stop()
    server.start(more=["--releases", tmp_path / "nope"])
    assert f"no folder {tmp_path / 'nope'} with weights" in server.log.read_text()


def test_a_damaged_server_key_is_named(shared_server, tmp_path):
    (tmp_path / "server.key").write_text("damaged")
    environment = shared_server.environment | {"RECAM_CONFIG": str(tmp_path)}
    done = shared_server.run("serve", "--port", "0", "--state", tmp_path / "s", env=environment)
    assert done.returncode == 1
    assert "server.key" in done.stderr and "Traceback" not in done.stderr


def test_only_this_machine_is_listened_to(shared_server):
    front = psutil.Process(shared_server.process.pid)
    listening = [each for each in front.net_connections() if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}


def test_the_state_folder_is_its_owners_alone(shared_server):
    assert shared_server.state.stat().st_mode & 0o077 == 0


def test_stopping_leaves_no_process(server):
    family = [server.worker()]
    assert server.stop() == 0
    assert not any(each.is_running() for each in family)


def test_a_killed_front_takes_its_worker_along(server):
    worker = server.worker()
    server.kill()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def test_a_ctrl_c_in_the_terminal_stops_it_in_order(server):
    worker = server.worker()
    server.process.send_signal(2)
    assert server.process.wait(30) == 0
    assert not worker.is_running()
    assert "Traceback" not in server.log.read_text()


def test_help_names_every_command():
    done = subprocess.run(recam("--help"), capture_output=True, text=True, cwd=ROOT)
    assert all(
        word in done.stdout for word in ("serve", "submit", "fetch", "jobs", "cancel", "doctor")
    )
