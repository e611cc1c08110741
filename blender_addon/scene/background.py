"""Another Blender, without a window, for long work, while this one stays the artist's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Thread

import bpy

from ..shared.errors import RecamError

MOST = 2  # at once: each takes all the cores it can get
TOLD = "RECAM {"  # begins what the background Blender tells, among all that Blender prints
STARTER = Path(__file__).with_name("in_background.py")

_alive: list[Background] = []


def write_scene(scene: bpy.types.Scene, path: Path) -> None:
    """Write a scene with all that it uses, and nothing else, to a .blend, its paths absolute.

    It takes as long as what the scene uses is large: unlink first what is not wanted there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.data.libraries.write(str(path), {scene}, path_remap="ABSOLUTE", fake_user=True)


class Background:
    """Runs a script of the add-on on a .blend in another Blender, and waits for nothing.

    blend: the file. Its folder serves for temporary files too, and must be this job's own.
    script: a Python file with ``main(arguments, tell)``; it knows bpy and the standard library
    alone, has the file open, and calls ``tell(share)``, 0 to 1, now and then. What it raises is
    the job's error. arguments: what JSON can hold.

    That Blender has factory settings, no add-ons and no scripts of the artist's or the file's, but
    their colour configuration and fonts. It begins once fewer than ``MOST`` others run, and ends
    with this Blender.
    """

    def __init__(self, blend: Path, script: Path, arguments: dict) -> None:
        self._blend = blend
        self._work = {
            "blend": str(blend),
            "script": str(script),
            "arguments": arguments,
        }
        self._process: subprocess.Popen | None = None
        self._share = 0.0
        self._error = ""
        self._lines: deque[str] = deque(maxlen=40)
        self._code: int | None = None

    def look(self) -> float:
        """How far it is, 0 to 1; 1.0 once the script has ended well. Takes no time.

        Raises RecamError ``background_failed`` with the script's, else Blender's own last error.
        """
        if self._process is None and not self._error:
            self._start()
        if self._code is None and not self._error:
            return min(self._share, 0.999)
        if self._code == 0:
            return 1.0
        raise RecamError("background_failed", f"Blender in the background: {self._why()}")

    def cancel(self) -> None:
        """End it at once, whatever it does. What it wrote so far stays."""
        self._error = self._error or "it was called off."
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(ProcessLookupError):  # ended this very moment
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait(10)  # a moment; only then are its files free

    def _start(self) -> None:
        _alive[:] = [other for other in _alive if other._code is None]
        if len(_alive) >= MOST:
            return
        try:
            self._process = subprocess.Popen(
                [*_blender(), json.dumps(self._work)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(self._blend.parent),
                **_apart(),
            )
        except OSError as error:
            self._error = str(error)
            return
        _alive.append(self)
        Thread(target=self._listen, name="recam-background", daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout:
            said, told, news = line.decode("utf-8", "replace").strip().partition(TOLD)
            if said:
                self._lines.append(said)
            if told:
                news = json.loads("{" + news)
                self._share = news.get("share", self._share)
                self._error = news.get("error", self._error)
        self._code = self._process.wait()

    def _why(self) -> str:
        errors = [line for line in self._lines if line.startswith("Error")]
        ended = f"it ended with code {self._code}."
        return self._error or next(reversed(errors or self._lines), ended)


def _blender() -> list[str]:
    """The command for a Blender like this one that runs ``STARTER``."""
    if not bpy.app.binary_path:  # Blender as a module of Python
        return [sys.executable, str(STARTER)]
    plain = ["--background", "--factory-startup", "--disable-autoexec", "-noaudio"]
    return [bpy.app.binary_path, *plain, "--python", str(STARTER), "--"]


def _environment(folder: Path) -> dict[str, str]:
    """This Blender's, with ``folder`` for temporary files and for the user's Blender settings."""
    scripts = ("BLENDER_USER_", "BLENDER_SYSTEM_SCRIPTS")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(scripts)}
    kept = {"BLENDER_USER_DATAFILES": bpy.utils.user_resource("DATAFILES")}  # colours, fonts
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    return mine | kept | temporary | {"BLENDER_USER_RESOURCES": str(folder / "user")}


def _apart() -> dict:
    """How it is started so that it can be ended alone, and does not hinder this Blender."""
    if os.name == "posix":
        return {"start_new_session": True}
    return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
