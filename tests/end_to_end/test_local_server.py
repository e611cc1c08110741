"""The local server from Blender: started, found again, stopped, kept while it works."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest


@pytest.fixture
def current(local):
    return local.local_server.current


@pytest.fixture
def server(local):
    return local.local_server.server


@pytest.fixture
def finish(current):
    """Ticks the task under way to its end, and returns it."""

    def run():
        _until(lambda: current.task.tick() is None)
        return current.task

    return run


@pytest.fixture
def start(bpy, finish, server):
    """Starts the server by its button; its process."""

    def run():
        assert bpy.ops.recam.start_server() == {"FINISHED"}
        task = finish()
        assert task.error is None, str(task.error)
        return server.running()

    return run


@pytest.fixture
def seen(current, local):
    """What the watch sees once that fits."""

    def run(fits):
        current.watch.want(local.preferences.address())

        def looked():
            current.watch.again()  # without the pause between two looks
            current.watch.tick()
            return current.watch.seen is not None and fits(current.watch.seen)

        _until(looked)
        return current.watch.seen

    yield run
    current.watch.close()


def test_it_is_started_seen_asked_and_stopped(bpy, local, current, server, start, finish, seen):
    assert seen(lambda seen: True).error.code == "server_unreachable"
    assert server.running() is None
    found = start()
    about = seen(lambda seen: seen.engines)
    assert [each["name"] for each in about.engines if each["can_run"]] == ["projection"]
    assert about.jobs == 0
    assert bpy.ops.recam.check_server() == {"FINISHED"}
    finish()
    assert f"A server answers at {local.preferences.address()}: {about.server}." in (
        current.sentences
    )
    assert bpy.ops.recam.stop_server() == {"FINISHED"}
    assert finish().error is None
    assert server.running() is None
    assert _gone(found.process)
    assert not bpy.ops.recam.stop_server.poll()


def test_it_keeps_a_log_of_its_own_and_is_not_started_twice(
    bpy, local, current, server, start, finish
):
    found = start()
    (said,) = current.task.log.read_text().splitlines()
    assert "listens at" in said
    assert start() == found
    assert bpy.ops.recam.stop_server() == {"FINISHED"}
    finish()
    log = local.local_server.places.server_log()
    assert log == Path(os.environ["RECAM_STATE"]) / "log/recam.log"
    assert "the server has stopped" in log.read_text()
    assert current.task.log.read_text().splitlines() == [said]


def test_it_listens_where_it_is_looked_for(bpy, local, at, start, finish, seen):
    if not _has_ipv6():
        pytest.skip("there is no IPv6 on this machine")
    port = local.preferences.address().rpartition(":")[2]
    at(f"tcp://[::1]:{port}")
    start()
    assert seen(lambda seen: seen.engines).address == f"tcp://[::1]:{port}"
    assert bpy.ops.recam.stop_server() == {"FINISHED"}
    finish()
    at(f"tcp://localhost:{port}")
    assert start().address == f"tcp://127.0.0.1:{port}"


def test_a_server_elsewhere_is_not_asked_by_a_blender_that_is_to_stay_offline(bpy, at):
    at("tcp://render.example:47811")
    with pytest.raises(RuntimeError, match="told to stay offline"):
        bpy.ops.recam.check_server()


@pytest.mark.parametrize(
    ("about", "jobs"),
    [
        ({}, {"jobs": []}),
        ({"server": "recam", "engines": []}, {}),
        ({"server": "recam", "engines": [{"name": "projection"}]}, {"jobs": []}),
        ({"server": "recam", "engines": []}, {"jobs": [None]}),
    ],
)
def test_answers_that_lack_something_are_told_in_a_sentence(local, about, jobs):
    watch = local.local_server.watch.Watch()
    watch.want(local.preferences.address())
    watch.tick()
    watch._asked = Future(), Future()
    for future, answer in zip(watch._asked, (about, jobs), strict=True):
        future.set_result(answer)
    assert watch.tick() is not None
    assert "does not answer as a Recam server does" in watch.seen.error.sentence
    watch.close()
    _until(lambda: "recam-client" not in [each.name for each in threading.enumerate()])


def test_a_port_that_is_taken_is_told_in_a_sentence(bpy, local, finish, server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(local.preferences.address().rpartition(":")[2])))
        taken.listen()
        bpy.ops.recam.start_server()
        error = finish().error
    assert error.code == "address_in_use"
    assert local.preferences.address() in error.sentence
    assert server.running() is None
    shown = local.local_server.places.server_log()
    assert "cannot listen at" in shown.read_text()


def test_a_command_that_is_not_there_is_an_error(bpy, local):
    local.preferences.preferences().recam_command = "/nowhere/recam"
    with pytest.raises(RuntimeError, match=r"There is no .*nowhere"):
        bpy.ops.recam.start_server()
    local.preferences.preferences().recam_command = ""
    with pytest.raises(RuntimeError, match="No Recam server is installed"):
        bpy.ops.recam.start_server()


def test_a_start_that_is_called_off_leaves_no_process(bpy, current, server, finish):
    bpy.ops.recam.start_server()
    assert current.task.tick() is not None
    found = server.running()
    bpy.ops.recam.cancel_task()
    assert finish().stand.words == "Cancelled"
    assert server.running() is None
    assert _gone(found.process)


def test_another_process_of_its_number_is_not_taken_for_it(start, server, local):
    found = start()
    record = Path(os.environ["RECAM_LOCAL"]) / "server.json"
    about = json.loads(record.read_text())
    record.write_text(json.dumps({**about, "began": "0"}))
    assert server.running() is None
    assert not server.leave()
    record.write_text(json.dumps(about))
    assert server.running() == found


def test_only_its_own_blender_stops_it_and_any_once_that_is_gone(
    start, server, current, monkeypatch
):
    found = start()
    record = Path(os.environ["RECAM_LOCAL"]) / "server.json"
    about = json.loads(record.read_text())
    other = subprocess.Popen(["sleep", "60"])
    try:
        began = server.birth(other.pid)
        record.write_text(json.dumps({**about, "blender": other.pid, "blender_began": began}))
        assert server.ours() is None and not server.leave()
        with monkeypatch.context() as quitting:  # it is not asked, which could take a while
            quitting.delattr(current, "look")
            current._leave_server()
    finally:
        other.kill()
        other.wait()
    assert server.leave()
    _until(lambda: _gone(found.process))


@pytest.fixture
def other(local, bpy, resources):
    """Another Blender that starts the server, and ends."""

    def run(end):
        bpy.ops.wm.save_userpref()
        command = local.preferences.preferences().recam_command
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("starting_blender.py")), command, end],
            env=os.environ | {"BLENDER_USER_RESOURCES": str(resources)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "The server runs." in done.stdout, done.stdout + done.stderr

    return run


def test_it_ends_with_the_blender_that_started_it(other, server):
    other("quit")
    _until(lambda: server.running() is None)


def test_a_crash_leaves_it_to_the_next_blender(bpy, other, server, finish, seen):
    other("crash")
    found = server.running()
    assert seen(lambda seen: seen.engines).error is None
    assert bpy.ops.recam.stop_server() == {"FINISHED"}
    assert finish().error is None
    assert _gone(found.process)


def test_it_goes_with_the_addon_when_it_is_idle(bpy, addon, package, start, seen):
    found = start()
    seen(lambda seen: seen.engines)
    bpy.ops.preferences.addon_disable(module=package)
    bpy.ops.preferences.addon_enable(module=package)
    _until(lambda: _gone(found.process))


def test_it_stays_while_it_has_a_job(bpy, current, start, seen, camera, lay, clip, drive, addon):
    found = start()
    seen(lambda seen: seen.engines)
    worker = _child(found.process)
    os.kill(worker, signal.SIGSTOP)  # the job takes as long as this test wants
    try:
        lay(clip)
        assert bpy.ops.recam.reshoot() == {"FINISHED"}
        job = addon.jobs.running.jobs[-1]
        drive(job, lambda: job.stand.stage == "rendering")
        assert seen(lambda seen: seen.jobs).jobs == 1
        addon.preferences.preferences().server = "tcp://127.0.0.1:1"  # it is asked itself
        current.unregister()  # as Blender quits
        time.sleep(0.7)  # longer than it takes to end
        assert not _gone(found.process)
    finally:
        addon.preferences.preferences().server = ""
        os.kill(worker, signal.SIGCONT)
    drive(job)
    assert job.error is None
    current.unregister()
    _until(lambda: _gone(found.process))


def test_one_that_hangs_is_left(current, server, start):
    found = start()
    os.kill(found.process, signal.SIGSTOP)
    current.unregister()  # as Blender quits
    os.kill(found.process, signal.SIGCONT)
    assert server.running() == found


def test_it_stays_when_it_is_to(local, current, start):
    found = start()
    local.preferences.preferences().keep_server = True
    current.unregister()  # as Blender quits
    time.sleep(0.7)  # longer than it takes to end
    assert not _gone(found.process)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as any_port:
            any_port.bind(("::1", 0))
    except OSError:
        return False
    return True


def _child(process: int) -> int:
    return int(Path(f"/proc/{process}/task/{process}/children").read_text().split()[0])


def _gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
