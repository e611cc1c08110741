"""Install, update and remove the local server's environment. Knows no Blender.

Blender's own Python may make the environment, but nothing is ever installed into it.
"""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

from ..shared.claims import claim
from ..shared.errors import RecamError
from ..shared.version import VERSION
from . import places
from .builds import Build, pip_steps, words_for
from .places import Installed, set_installed
from .python import candidates, fits, probe
from .task import Cancelled, Stand, Steps, Task, delete, follow, run

UPGRADE = ["install", "--upgrade", "pip"]  # for one that tells how far it is


def install_task(chosen: Build, pip_options: tuple[str, ...] = ()) -> Task:
    """The task that installs ``chosen``, or brings what is there to this version.

    pip_options: for pip, more than the user's own settings say.
    Raises RecamError ``server_package`` and ``disk_full`` before anything is done.
    """
    wheel = places.wheel()
    _check_space(chosen)
    log = places.log("install")
    steps = _alone(_install(chosen, wheel, log, pip_options))
    return Task("Installing the local server", steps, log)


def remove_task() -> Task:
    """The task that deletes the environment. Jobs, takes, weights and keys stay."""
    return Task("Removing the local server", _alone(_remove()), places.log("install"))


def _alone(steps: Steps) -> Steps:
    """The same steps, while no other Blender changes the environment; RecamError ``task_busy``."""
    lock = places.data_folder() / "environment.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = claim(lock)
    if held is None:
        raise RecamError(
            "task_busy",
            "Another Blender is installing or removing the local server.",
            "Wait until it has ended there.",
        )
    with held:
        return (yield from steps)


def _install(chosen: Build, wheel: Path, log: Path, pip_options: tuple[str, ...]) -> Steps:
    folder = places.environment()
    kept = _can_be_kept(places.installed(), chosen)
    log.write_bytes(b"")
    python = [] if kept else (yield from _find_python(log))  # else what is there stays as it is
    set_installed(None)
    try:
        if not kept:
            yield from delete(folder, "Removing what was there")
            words = "Making an environment"
            yield from run([*python, "-I", "-m", "venv", str(folder)], log, words)
        pip = [str(places.python()), "-I", "-m", "pip"]
        options = ["--no-input", "--disable-pip-version-check", *pip_options]
        yield from run([*pip, *UPGRADE, *options], log, "Bringing pip up to date")
        about = yield from run([*pip, "--version"], log, "Bringing pip up to date")
        options.append(f"--progress-bar={'raw' if _tells_progress(about) else 'off'}")
        for words, step in pip_steps(chosen, str(wheel)):
            yield from run([*pip, *step, *options], log, words)
        trial = [str(places.python()), "-m", "inference_server.cli", "--version"]
        yield from run(trial, log, "Trying it")
    except Cancelled:
        if not kept:
            yield from delete(folder, "Removing what was made so far")
        raise
    set_installed(Installed(VERSION, chosen.name))
    return f"The local server is installed: {chosen.title}."


def _remove() -> Steps:
    set_installed(None)
    yield from delete(places.environment(), "Removing the local server")
    return "The local server is removed."


def _can_be_kept(was: Installed | None, chosen: Build) -> bool:
    """Whether pip can go on from what is there; else it begins from nothing.

    What is already as it should be is asked for again because it is broken. And one PyTorch
    does not give way to another build of the same version.
    """
    if was is None:
        return False
    if was.build == chosen.name:
        return was.version != VERSION
    return was.build == "projection"


def _find_python(log: Path):
    for command in candidates():
        output: list[str] = []
        try:
            with closing(follow(probe(command), log)) as steps:
                for said, _ in steps:
                    output += said
                    yield Stand("Looking for Python")
        except RecamError:
            continue
        if fits(output):
            return command
    raise RecamError(
        "python_missing",
        "No Python was found that can make an environment: 3.11 to 3.14, with venv and pip.",
        "Install Python 3.12 (on Debian and Ubuntu also the package python3-venv), then try again.",
    )


def _tells_progress(about: list[str]) -> bool:
    """Whether a pip, by its ``--version``, can write its progress for a program to read."""
    version = re.match(r"pip (\d+)\.(\d+)", about[-1])
    return bool(version) and (int(version[1]), int(version[2])) >= (24, 1)


def _check_space(chosen: Build) -> None:
    place = places.data_folder()
    folder = next((each for each in (place, *place.parents) if each.exists()), None)
    if folder is None:  # in Windows
        raise RecamError(
            "folder_missing",
            f"The local server would lie in {place}, on a drive that is not there.",
            "Connect the drive, then try again.",
        )
    free = shutil.disk_usage(folder).free / 1e9
    if free < chosen.disk and not _can_be_kept(places.installed(), chosen):
        raise RecamError(
            "disk_full",
            f"{chosen.title} takes about {words_for(chosen.disk)}, and {words_for(free)} are free "
            f"in {folder}.",
            "Make room there.",
        )
