"""Where Recam keeps things that belong to one user of one machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_folder() -> Path:
    """Keys and settings. ``RECAM_CONFIG`` overrides the system's usual place."""
    if override := os.environ.get("RECAM_CONFIG"):
        return Path(override)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData/Roaming")) / "recam"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/recam"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "recam"


def state_folder() -> Path:
    """The server's journal, clips and results. ``RECAM_STATE`` overrides the usual place."""
    if override := os.environ.get("RECAM_STATE"):
        return Path(override)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "recam"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/recam/server"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "recam"
