"""``python -m tests.gui``: the story in a real Blender window, its pictures into a folder."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from tests.servers import Server

from . import addon_zip, root, story
from .artist import Artist
from .window import Window

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "gui"


def main() -> None:
    """Tell the story; the exit status is 1, with a sentence, where a step fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.gui")
    parser.add_argument("--root", type=Path, default=WORK / "sid", help="the Debian root")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    sid, out = options.root.resolve(), options.out.resolve()
    try:
        root.make(sid)
    except root.NotHere as reason:
        print(f"SKIPPED, no pictures were taken: {reason}")
        return
    home = WORK / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    blender = addon_zip.version(sid)
    print(f"Blender {'.'.join(map(str, blender))} in {sid}", flush=True)
    addon_zip.install(sid, home, addon_zip.build(WORK / "zips", blender))
    os.chdir(ROOT)
    # A relative place: the server tells it, and the guide shows what it tells.
    server = Server(home.relative_to(ROOT) / ".recam").start()
    environment = {
        "BLENDER_USER_RESOURCES": addon_zip.RESOURCES,
        "RECAM_CONFIG": f"{root.HOME}/.recam/config",
        "RECAM_SERVER": server.address,
    }
    try:
        window = Window(sid, home)
        try:
            _tell(Artist(window, server, environment, out))
        finally:
            window.close()
    finally:
        server.stop()


def _tell(artist: Artist) -> None:
    artist.out.mkdir(parents=True, exist_ok=True)
    for step in story.STEPS:
        began = time.monotonic()
        try:
            step(artist)
        except AssertionError as error:
            failed = artist.window.picture("failed")
            sys.exit(f"“{step.__doc__}” failed, see {failed}:\n{error or 'it is not so'}")
        print(f"{step.__doc__.rstrip('.')} … {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
