"""Where the local server lies on this machine. Knows no Blender."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ..shared.errors import RecamError
from ..shared.folders import state_folder

PACKAGE = Path(__file__).resolve().parents[1] / "server_package"


def data_folder() -> Path:
    """The environment, its logs and what runs in it. ``RECAM_LOCAL`` overrides the usual place.

    The user's own and not Blender's: several gigabytes need neither lie there once for each
    version of Blender nor go with an add-on that is installed anew.
    """
    if override := os.environ.get("RECAM_LOCAL"):
        return Path(override)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "recam"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/recam"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "recam"


def environment() -> Path:
    """The virtual environment's folder."""
    return data_folder() / "environment"


def python() -> Path:
    """The environment's Python."""
    name = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return environment() / name


def log(name: str) -> Path:
    """The log of ``install``, ``server``, …."""
    return data_folder() / f"{name}.log"


def server_log() -> Path:
    """The local server's own log, or what it said before it had one, if that is newer."""
    kept, said = state_folder() / "log" / "recam.log", log("server")
    there = [file for file in (said, kept) if file.is_file()]
    return max(there, key=lambda file: file.stat().st_mtime, default=said)


@dataclass(frozen=True)
class Installed:
    """What was installed: Recam's version, and the build (``builds.BUILDS``)."""

    version: str
    build: str


def installed() -> Installed | None:
    """What is installed whole, or None: the last step of an install writes it down."""
    try:
        about = json.loads(_record().read_text(encoding="utf-8"))
        return Installed(str(about["version"]), str(about["build"])) if python().exists() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def set_installed(about: Installed | None) -> None:
    """Write down what is installed; None while it is being changed."""
    if about is None:
        _record().unlink(missing_ok=True)
    else:
        _record().write_text(json.dumps(asdict(about)), encoding="utf-8")


def recam(command: str = "") -> list[str]:
    """What to run for the command ``recam``.

    command: the path of a ``recam`` installed by hand; empty for the environment's.
    Raises RecamError ``server_not_installed`` where there is none.
    """
    if command:
        if Path(command).is_file():
            return [command]
        raise RecamError(
            "server_not_installed",
            f"There is no {command}.",
            "Correct the Recam command in the add-on's preferences, or empty it.",
        )
    if installed() is None:
        raise RecamError(
            "server_not_installed",
            "No Recam server is installed on this machine.",
            "Press Install Local Server in the add-on's preferences.",
        )
    return [str(python()), "-m", "inference_server.cli"]


def wheel() -> Path:
    """Recam's own wheel, which travels in the add-on: server and add-on are of one version.

    Raises RecamError ``server_package`` where the add-on was not built by ``build.py``.
    """
    found = sorted(PACKAGE.glob("recam-*.whl"))
    if not found:
        raise RecamError(
            "server_package",
            "This build of the add-on does not carry the server.",
            "Install Recam's zip as it was released, or the server by hand.",
        )
    return found[-1]


def _record() -> Path:
    return environment() / "recam.json"
