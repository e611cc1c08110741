"""The add-on in real Blender with real servers, each a process of the server's environment."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.blender_fixtures import strips_of
from tests.end_to_end.slow_wire import SlowWire
from tests.slow_engine import copy_code

ROOT = Path(__file__).resolve().parents[2]


def pytest_configure(config):
    """Load the fixtures that these tests share with the add-on's own, once for both."""
    config.pluginmanager.import_plugin("tests.blender_fixtures")
    config.pluginmanager.import_plugin("tests.end_to_end.whole_way")


class Server:
    """``recam serve`` on a folder of its own; the same port after a restart.

    releases: a folder of weights; without one it has none, whatever this machine's user has.
    more: of its environment.
    """

    def __init__(self, python: str, folder: Path, releases: Path | None = None, **more) -> None:
        self.folder = folder
        self.address = "tcp://127.0.0.1:0"
        self._python = python
        self._releases = releases or folder / "none"
        self._more = more
        self._process: subprocess.Popen | None = None

    def start(self, code: Path = ROOT) -> Server:
        """Start it from that folder's code; returns when it listens."""
        port = self.address.rpartition(":")[2]
        command = [self._python, "-m", "inference_server.cli", "serve", "--port", port]
        command += ["--releases", str(self._releases)]
        with (self.folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=code,
                env=os.environ | {"RECAM_STATE": str(self.folder / "state"), **self._more},
            )
        line = self._process.stdout.readline()
        assert "listens at" in line, (self.folder / "server.log").read_text()
        self.address = line.split()[-1]
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, in order or by a kill, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(20)


@pytest.fixture(scope="session")
def server_python():
    python = os.environ.get("RECAM_SERVER_PYTHON")
    if not python:
        pytest.skip("RECAM_SERVER_PYTHON names no Python of the server's environment")
    return python


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The config folder of this test's user, for Blender and servers alike."""
    folder = tmp_path_factory.mktemp("keys")
    os.environ["RECAM_CONFIG"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def house(server_python, keys, tmp_path_factory):
    """A server that all tests share."""
    server = Server(server_python, tmp_path_factory.mktemp("house")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def model_house(server_python, keys, tmp_path_factory):
    """A server with the miniature release's weights."""
    look = "import sys, importlib.util as u; sys.exit(u.find_spec('torch') is None)"
    if subprocess.run([server_python, "-c", look]).returncode:
        pytest.skip("the server's Python has no PyTorch: install Recam's “model” extra there")
    folder = tmp_path_factory.mktemp("model_house")
    release = ROOT / "inference_server/miniature/release"
    # One thread: on a network this small more of them only wait for each other.
    server = Server(server_python, folder, release, OMP_NUM_THREADS="1").start()
    yield server
    server.stop()


@pytest.fixture
def new_server(server_python):
    """Starts a server below a folder, with what more there is in its environment."""
    return lambda folder, code=ROOT, **more: Server(server_python, folder, **more).start(code)


@pytest.fixture
def own_server(server_python, keys, tmp_path):
    """A server that this test may kill."""
    (tmp_path / "server").mkdir()
    server = Server(server_python, tmp_path / "server").start()
    yield server
    server.stop()


@pytest.fixture
def slow_wire(house):
    """An address that leads to the shared server at a few hundred kilobytes a second."""
    wire = SlowWire(house.address)
    yield wire.address
    wire.close()


@pytest.fixture
def at(monkeypatch):
    """Points the add-on at an address."""
    return lambda address: monkeypatch.setenv("RECAM_SERVER", address)


@pytest.fixture
def local(addon, package, bpy, server_python, keys, tmp_path, monkeypatch, at):
    """A server installed by hand, on a free port, with a state and logs of its own."""
    command = Path(server_python).parent / "recam"
    if not command.exists():
        pytest.skip(f"there is no {command}")
    monkeypatch.setenv("RECAM_LOCAL", str(tmp_path / "local"))
    monkeypatch.setenv("RECAM_STATE", str(tmp_path / "local_state"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at(f"tcp://127.0.0.1:{free.getsockname()[1]}")
    addon.preferences.preferences().recam_command = str(command)
    yield addon
    preferences = addon.preferences.preferences()
    preferences.recam_command, preferences.keep_server = "", False
    if (found := addon.local_server.server.running()) is not None:
        os.kill(found.process, signal.SIGKILL)


@pytest.fixture
def reshoot(bpy, addon, at, house):
    """Presses the panel's button; the job, not yet driven."""
    at(house.address)

    def run():
        assert bpy.ops.recam.reshoot() == {"FINISHED"}
        return addon.jobs.running.jobs[-1]

    return run


@pytest.fixture
def drive():
    """Ticks a job to its end, or until a condition holds, as the window's timer would."""

    def run(job, until=lambda: False, seconds=60):
        end = time.monotonic() + seconds
        while not until() and job.tick() is not None:
            assert time.monotonic() < end, f"still {job.stand} after {seconds} s"
            time.sleep(0.01)
        return job

    return run


@pytest.fixture
def take_of(drive):
    """Drives a job to its end and returns its take; a failure is the job's error."""

    def run(job, scene):
        drive(job)
        assert job.error is None, str(job.error)
        return strips_of(scene)[job.take]

    return run


@pytest.fixture(autouse=True)
def nothing_left(bpy, addon, tmp_path, monkeypatch):
    """After every test: no temporary folder or scene, no half file, no job, no thread."""
    work = tmp_path / "temporary"
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    yield
    assert not list(work.glob("recam-*"))
    assert not [s.name for s in bpy.data.scenes if addon.scene.temporary_scene.MARK in s]
    addon.jobs.running.abandon_all()
    for record in addon.jobs.belonging.folder().iterdir():  # of jobs that were left on purpose
        record.unlink()
    assert not [t for t in threading.enumerate() if t.name == "recam-client"]
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture
def saved(bpy, sequence, tmp_path):
    """The scene, saved in a folder of its own; the folder for takes beside it."""
    (tmp_path / "project").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project" / "shot.blend"))
    return tmp_path / "project" / "recam_takes"


@pytest.fixture
def camera(bpy, sequence):
    """A camera that stands still at the origin and looks along y."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.rotation_euler = (1.5707963, 0, 0)
    sequence.collection.objects.link(camera)
    sequence.camera = camera
    return camera


@pytest.fixture
def lay(sequence):
    """Lays a movie file into the sequencer and makes it the active strip."""

    def run(path, name="shot", frames=None, start=11, fit="ORIGINAL"):
        strip = strips_of(sequence).new_movie(name, str(path), 2, start, fit_method=fit)
        if frames:
            strip.frame_final_duration = frames
        sequence.sequence_editor.active_strip = strip
        return strip

    return run


@pytest.fixture(scope="session")
def slow_house(server_python, keys, tmp_path_factory):
    """A server that takes a moment for each job, which all tests share."""
    folder = tmp_path_factory.mktemp("slow")
    server = Server(server_python, folder).start(code=copy_code(folder / "code"))
    yield server
    server.stop()


@pytest.fixture
def blend(saved):
    """Path of the saved .blend."""
    return saved.parent / "shot.blend"


@pytest.fixture
def city(lay, sequence, camera, clip):
    """The short clip as the strip “city”, before the camera."""
    return lay(clip, "city")


@pytest.fixture
def under_way(bpy, addon, city, blend, drive):
    """Saves the file, re-shoots the active strip; the job, once it is at that stage."""

    def run(stage="rendering"):
        bpy.ops.wm.save_mainfile()
        assert bpy.ops.recam.reshoot() == {"FINISHED"}
        job = addon.jobs.running.jobs[-1]
        drive(job, until=lambda: job.stand.stage == stage)
        assert job.stand.stage == stage, str(job.error)
        return job

    return run


@pytest.fixture
def opened(bpy, addon):
    """Opens a .blend; the jobs that Blender then follows."""

    def run(path):
        bpy.ops.wm.open_mainfile(filepath=str(path))
        return addon.jobs.running.jobs

    return run
