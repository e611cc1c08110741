"""The add-on's zip for the window's Blender, and its installation there."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from . import root

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = f"{root.HOME}/.blender"  # Blender's own folder: nothing of the user's is touched


def build(folder: Path, blender: tuple[int, ...]) -> Path:
    """Build the zips into ``folder``; the one for this version of Blender."""
    command = [sys.executable, ROOT / "blender_addon/build.py", "--platform", "current"]
    subprocess.run([*command, "--output", folder], check=True, stdout=subprocess.DEVNULL)
    for file in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(file) as archive:
            manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        least = _numbers(manifest["blender_version_min"])
        most = _numbers(manifest.get("blender_version_max", "99.0.0"))
        if least <= blender < most:
            return file
    raise SystemExit(f"No zip was built for Blender {'.'.join(map(str, blender))}.")


def install(sid: Path, home: Path, file: Path) -> None:
    """Install and enable it, as ``blender --command`` does."""
    (home / file.name).write_bytes(file.read_bytes())
    command = ["blender", "--command", "extension", "install-file", "-r", "user_default"]
    command += ["--enable", f"{root.HOME}/{file.name}"]
    environment = ["env", f"BLENDER_USER_RESOURCES={RESOURCES}"]
    done = subprocess.run(
        root.inside(sid, *environment, *command, home=home), capture_output=True, text=True
    )
    if done.returncode or "Error" in done.stdout + done.stderr:
        raise SystemExit(f"The add-on could not be installed: {done.stdout}{done.stderr}")


def version(sid: Path) -> tuple[int, ...]:
    """The version of the root's Blender."""
    said = subprocess.run(
        root.inside(sid, "blender", "--version"), capture_output=True, text=True, check=True
    )
    return _numbers(said.stdout.split()[1])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
