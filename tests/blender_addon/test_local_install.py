"""The local server's environment: made by a real Python and pip, mended, called off, removed.

Nothing is downloaded: Recam's wheel comes with the add-on, and what it needs is left out, as far
as a test does not want to see just that fail. ``make test-install`` fetches everything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALONE = ("--no-index", "--no-deps", "--no-compile")


@pytest.fixture
def local(addon, tmp_path, monkeypatch):
    """The add-on's local server, in a folder of this test's."""
    monkeypatch.setenv("RECAM_LOCAL", str(tmp_path / "a folder"))
    return addon.local_server


@pytest.fixture
def projection(local):
    return local.builds.build("projection")


@pytest.fixture
def packages(local, tmp_path, monkeypatch):
    """Lets an environment import what the server's has, once it is made; pip does not see it."""
    python = os.environ.get("RECAM_SERVER_PYTHON")
    if not python:
        pytest.skip("RECAM_SERVER_PYTHON names no Python of the server's environment")
    monkeypatch.setattr(local.install, "candidates", lambda: [[python]])
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    (lent := tmp_path / "lent").mkdir()
    for each in Path(done.stdout.strip()).iterdir():
        if each.suffix not in (".dist-info", ".pth") and each.name not in ("pip", "setuptools"):
            (lent / each.name).symlink_to(each)

    def lend() -> bool:
        for own in local.places.environment().glob("lib/python*/site-packages"):
            if not (own / "lent.pth").exists():  # a Python may be about to read it
                (own / "lent.pth").write_text(str(lent))
        return False

    return lend


def _finish(task, until=lambda: False):
    """What a task said on its way, up to its end or until a condition holds."""
    words, end = [], time.monotonic() + 120
    while not until() and task.tick() is not None:
        assert time.monotonic() < end, task.stand
        if words[-1:] != [task.stand.words]:
            words.append(task.stand.words)
        time.sleep(0.02)
    return words


def test_an_environment_is_made_updated_and_removed(local, projection, addon, packages):
    places, install = local.places, local.install
    assert places.installed() is None
    with pytest.raises(addon.shared.errors.RecamError, match="No Recam server is installed"):
        places.recam()
    task = install.install_task(projection, ALONE)
    said = _finish(task, packages)
    assert task.error is None, f"{task.error}\n{task.log.read_text()}"
    assert said[-1] == "Trying it" and "Making an environment" in said
    version = addon.shared.version.VERSION
    assert places.installed() == places.Installed(version, "projection")
    assert places.recam() == [str(places.python()), "-m", "inference_server.cli"]
    assert f"recam {version}" in task.log.read_text()
    own = [*places.environment().glob("lib/python*/site-packages/inference_server/cli")]
    assert len(own) == 1

    (mark := places.environment() / "mark").touch()
    places.set_installed(places.Installed("0.0.1", "projection"))  # of an older add-on
    _finish(install.install_task(projection, ALONE))
    assert mark.exists() and places.installed().version == version

    places.set_installed(places.Installed("0.0.1", "projection"))
    task = install.install_task(projection, ("--no-index",))
    _finish(task)
    assert task.error.code == "command_failed"
    assert "Could not find a version" in task.error.sentence
    assert str(task.log) in task.error.hint and task.log.is_file()
    assert places.installed() is None  # what is half done is not taken for an install

    removal = install.remove_task()
    _finish(removal)
    assert removal.error is None
    assert not places.environment().exists()


def test_called_off_it_leaves_neither_process_nor_folder(local, projection):
    task = local.install.install_task(projection, ALONE)
    environment = local.places.environment()
    _finish(task, until=environment.exists)
    assert task.running
    task.cancel()
    _finish(task)
    assert task.stand.words == "Cancelled" and task.error is None
    assert not environment.exists()
    assert not _of_this(environment)
    assert not [each for each in threading.enumerate() if each.name == "recam-delete"]


def test_one_blender_at_a_time_changes_it(local, projection):
    places = local.places
    places.python().parent.mkdir(parents=True)
    held = local.install.claim(places.data_folder() / "environment.lock")  # as another has it
    for make in (lambda: local.install.install_task(projection, ALONE), local.install.remove_task):
        _finish(task := make())
        assert task.error.code == "task_busy" and places.environment().exists()
    held.close()
    _finish(task := local.install.remove_task())
    assert task.error is None and not places.environment().exists()
    local.install.claim(places.data_folder() / "environment.lock").close()  # it was let go


def test_a_build_of_a_newer_addon_is_shown_by_its_name(local):
    builds = local.builds
    assert builds.build("quantum").title == "quantum"
    assert builds.likely("quantum") == builds.likely() != "cpu"
    assert builds.likely("cpu") == "cpu"
    newer = local.places.Installed("99.0", "quantum")
    assert not local.install._can_be_kept(newer, builds.build("cpu"))


def test_a_drive_that_is_not_there_is_told_in_a_sentence(local, addon, projection, monkeypatch):
    with monkeypatch.context() as windows:
        windows.setattr(Path, "exists", lambda path: False)
        with pytest.raises(addon.shared.errors.RecamError, match="a drive that is not there"):
            local.install._check_space(projection)


def test_a_repair_begins_from_nothing(local, projection):
    places = local.places
    places.python().parent.mkdir(parents=True)
    places.python().touch()
    assert not local.install._can_be_kept(None, projection)
    whole = places.Installed(local.install.VERSION, "projection")
    assert not local.install._can_be_kept(whole, projection)
    assert local.install._can_be_kept(whole, local.builds.build("cuda"))
    model = places.Installed("0.0.1", "cpu")
    assert not local.install._can_be_kept(model, local.builds.build("cuda"))


def test_a_python_that_cannot_make_an_environment_is_passed_over(local, tmp_path, monkeypatch):
    assert [sys.executable] == local.python.candidates()[-1]
    assert not local.python.fits([])
    assert not local.python.fits(['{"version": [3, 9], "wide": true, "store": false}'])
    assert not local.python.fits(['{"version": [3, 12], "wide": false, "store": false}'])
    assert not local.python.fits(['{"version": [3, 12], "wide": true, "store": true}'])
    assert local.python.fits(["a warning", '{"version": [3, 12], "wide": true, "store": false}'])
    monkeypatch.setenv("RECAM_LOCAL", str(tmp_path))
    wrong = tmp_path / "python3.12"
    wrong.write_text("#!/bin/sh\necho no; exit 1\n")
    wrong.chmod(0o755)
    commands = [[str(tmp_path / "missing")], [str(wrong)], [sys.executable]]
    monkeypatch.setattr(local.install, "candidates", lambda: commands)
    found, steps = None, local.install._find_python(tmp_path / "log")
    try:
        while True:
            next(steps)
            time.sleep(0.02)
    except StopIteration as done:
        found = done.value
    assert found == [sys.executable]


def test_what_is_installed_stays_where_no_python_is_found(local, projection, monkeypatch):
    places = local.places
    places.python().parent.mkdir(parents=True)
    places.python().touch()
    whole = places.Installed(local.install.VERSION, "projection")
    places.set_installed(whole)
    monkeypatch.setattr(local.install, "candidates", lambda: [["/nowhere/python"]])
    task = local.install.install_task(projection, ALONE)
    _finish(task)
    assert task.error.code == "python_missing"
    assert places.installed() == whole


def test_weights_are_not_fetched_for_a_server_without_the_model(bpy, local, monkeypatch):
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", True)
    local.places.python().parent.mkdir(parents=True)
    local.places.python().touch()
    local.places.set_installed(local.places.Installed(local.install.VERSION, "projection"))
    with pytest.raises(RuntimeError, match="without the model"):
        bpy.ops.recam.install_weights()
    assert not local.current.busy()


def test_a_python_beside_the_blend_is_not_run(local, tmp_path, monkeypatch):
    planted = tmp_path / "python3.12"
    planted.write_text("#!/bin/sh\nexit 0\n")
    planted.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([".", os.environ["PATH"]]))
    assert shutil.which("python3.12") == "./python3.12"
    assert all(os.path.isabs(command[0]) for command in local.python.candidates())


def test_pip_gets_what_the_choice_needs(local):
    builds = local.builds
    assert f'"{builds.TORCH}"' in (ROOT / "pyproject.toml").read_text(), "the same PyTorch"
    for each in builds.BUILDS:
        steps = [arguments for _, arguments in builds.pip_steps(each, "recam.whl")]
        assert steps[-1][-1] == ("recam.whl[model]" if each.model else "recam.whl")
        assert ("--index-url" in steps[0]) == bool(each.torch_index)
        assert each.sources
    assert builds.likely() in [each.name for each in builds.builds()]


def test_another_python_is_not_told_of_blenders(local, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/blender/modules")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    clean = local.processes.clean_environment()
    assert "PYTHONPATH" not in clean
    assert clean["HTTPS_PROXY"] == "http://proxy"


@pytest.mark.skipif(not shutil.which("ps"), reason="there is no ps here")
def test_a_process_is_known_by_its_birth(local, monkeypatch):
    other = subprocess.Popen(["sleep", "60"])
    for birth in (local.processes.birth, local.processes._birth_by_ps):
        monkeypatch.setenv("TZ", "UTC")
        began = birth(other.pid)
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        assert birth(other.pid) == began != birth(1)
        assert birth(os.getpid()) is not None
    other.kill()
    time.sleep(0.1)  # ended, and not waited for: a zombie
    for birth in (local.processes.birth, local.processes._birth_by_ps):
        assert birth(other.pid) is None
    other.wait()
    for birth in (local.processes.birth, local.processes._birth_by_ps):
        assert birth(other.pid) is None
    local.processes.end(other.pid)  # asked a moment too late: no fault


def test_progress_is_told_as_pip_tells_it(local):
    lines = [
        "Collecting torch",
        "  Downloading https://a.b/whl/torch-2.13.0-cp312.whl (900 MB)",
        "Progress 0 of 900000000",
        "Progress 450000000 of 900000000",
    ]
    stand = local.task._stand("Fetching PyTorch", lines)
    assert stand.share == 0.5
    assert stand.words == "Fetching PyTorch: torch, 450 of 900 MB"
    assert local.task._stand("Fetching", [*lines, "Installing collected packages"]).share is None
    unknown = local.task._stand("Fetching PyTorch", [*lines[:2], "Progress 3000000 of 0"])
    assert (unknown.words, unknown.share) == ("Fetching PyTorch: torch, 3 MB", None)


def _of_this(folder) -> list[str]:
    """The command lines of the processes that have to do with a folder."""
    lines = []
    for process in filter(str.isdecimal, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                lines.append(file.read().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if str(folder) in line]
