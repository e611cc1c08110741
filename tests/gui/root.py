"""A Debian sid root with a real Blender in it, made once, and commands run inside it.

Mounts are made in a mount namespace of each command's own: nothing stays mounted, whatever
happens, and removing the folder never reaches through a mount.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import urllib.request
from pathlib import Path

PACKAGES = (
    *("blender", "python3-cattr", "python3-requests"),  # the extension page fails without the two
    *("xvfb", "xauth", "xdotool", "libegl1", "libgl1-mesa-dri"),
    *("imagemagick", "tesseract-ocr", "tesseract-ocr-eng"),
)
NEEDED = ("debootstrap", "unshare", "chroot", "mount")
MOUNT = 'for d in proc dev sys; do mount --rbind /$d "$0/$d"; done'
SIZE = "1.9 GB"
HOME = "/home/artist"


class NotHere(Exception):
    """Why this machine cannot have the root, in a sentence."""


def make(folder: Path) -> None:
    """Make the root in ``folder`` unless it is there. Raises NotHere."""
    if platform.system() != "Linux":
        raise NotHere("the window needs Linux.")
    if os.geteuid() != 0:
        raise NotHere("only root may make a Debian root and enter it.")
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        raise NotHere(f"{', '.join(missing)} is not installed.")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        raise NotHere("this machine lets nobody mount anything.")
    if folder.exists():
        return
    mirror = _mirror()
    try:
        with urllib.request.urlopen(f"{mirror}/dists/sid/Release", timeout=20) as answer:
            answer.read(1)
    except OSError as error:
        raise NotHere(f"Debian's mirror {mirror} does not answer ({error}).") from None
    print(f"Making a Debian root with Blender in {folder} ({SIZE}, a minute or two) …", flush=True)
    half = folder.with_name(folder.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    known = [f"--keyring={keyring}"] if keyring.exists() else []
    _do("debootstrap", "--variant=minbase", *known, "sid", half, mirror)
    # As this machine reaches the network, so does the root.
    acquire = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True)
    (half / "etc/apt/apt.conf.d/90acquire").write_text(acquire.stdout)
    shutil.copy("/etc/resolv.conf", half / "etc/resolv.conf")
    apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get")
    _do(*inside(half, *apt, "update", "-qq"))
    _do(*inside(half, *apt, "install", "-qq", "--no-install-recommends", *PACKAGES))
    half.rename(folder)


def inside(folder: Path, *command, home: Path | None = None) -> list[str]:
    """The command line that runs ``command`` in the root; ``home`` is the folder seen as HOME."""
    mounts = MOUNT
    if home is not None:
        (folder / HOME.lstrip("/")).mkdir(parents=True, exist_ok=True)
        mounts += f'; mount --bind "{home}" "$0{HOME}"'
    environment = (f"HOME={HOME if home else '/root'}", "LANG=C.UTF-8")
    enter = f'set -e; {mounts}; exec chroot "$0" /usr/bin/env {" ".join(environment)} "$@"'
    return ["unshare", "--mount", "sh", "-c", enter, str(folder), *map(str, command)]


def _mirror() -> str:
    """This machine's own Debian mirror, or Debian's."""
    for file in sorted(Path("/etc/apt").glob("sources.list*")):
        for listed in sorted(file.glob("*")) if file.is_dir() else [file]:
            for word in listed.read_text(errors="replace").split():
                if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                    return word.rstrip("/")
    return "http://deb.debian.org/debian"


def _do(*command) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise NotHere(f"the Debian root could not be made: {said[-1]}")
