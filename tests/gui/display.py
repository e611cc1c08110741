"""A display without a screen: pictures of it, words on it, a mouse and keys."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import reading, root

WIDTH, HEIGHT = 1600, 1000
# Blender's words are bright; what is darker, such as a blue button, is made paper.
BRIGHT, FAINT = "50%", "70%"
TABS = 28  # pixels of a sidebar's edge
ENLARGE = 3  # the reader wants letters of some 30 pixels
PATIENCE = 90.0  # seconds; software rendering on a busy machine is slow
SETTLE = 0.3  # seconds until a click is drawn
PACE = "20"  # milliseconds between keys, so that each is taken for itself


class Display:
    """An X display in the root ``sid``; programs on it have the folder ``home`` as their HOME."""

    def __init__(self, sid: Path, home: Path) -> None:
        self.sid, self.home, self.talk = sid, home, home / ".gui"
        self.talk.mkdir()
        number = _free_number()
        self.name = f":{number}"
        self.log = (self.talk / "log.txt").open("w")
        self.processes = []
        self.start("Xvfb", self.name, "-screen", "0", f"{WIDTH}x{HEIGHT}x24")
        self.until(lambda: _listens(number), "the display did not start")

    def start(self, *command) -> None:
        """Start a program, which ends with ``close``."""
        full = root.inside(self.sid, *command, home=self.home)
        started = subprocess.Popen(full, stdout=self.log, stderr=subprocess.STDOUT)
        self.processes.append(started)

    def close(self) -> None:
        """End all programs, the display itself last."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()

    def until(self, condition, otherwise: str) -> None:
        """Wait until it holds. Raises AssertionError with what is otherwise, or with what ended."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = [process for process in self.processes if process.poll() is not None]
            assert not ended, f"{otherwise}: it ended, see {self.log.name}"
            assert time.monotonic() < deadline, otherwise
            time.sleep(0.05)

    def settle(self, seconds: float = SETTLE) -> None:
        """Give the programs the time to take what was done, and to draw."""
        time.sleep(seconds)

    # Pictures and words

    def outline(self, title: str) -> tuple[int, ...]:
        """Where the window lies that has this word in its title."""
        found = self._run("xdotool", "search", "--name", title, "getwindowgeometry", "--shell")
        lies = dict(line.split("=") for line in found.split())
        return tuple(int(lies[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def picture(self, name: str, place=None) -> Path:
        """Take a picture of the screen, or of a place on it, into ``.gui/name.png``."""
        few = ("-dither", "None", "-colors", 256)  # a dithered grey is a smear
        self._run("magick", "x:root", *_crop(place), *few, f"PNG8:{root.HOME}/.gui/{name}.png")
        return self.talk / f"{name}.png"

    def read(self, place=None) -> list[reading.Word]:
        """The words on the screen, or in a place on it."""
        x, y = place[:2] if place else (0, 0)
        return reading.words(self._tesseract(place, BRIGHT), ENLARGE, x, y)

    def read_tabs(self, place) -> list[reading.Word]:
        """The names of a sidebar's tabs, which are written from top to bottom."""
        x, y, width, height = place
        strip = (x + width - TABS, y, TABS, height)
        turned = reading.words(self._tesseract(strip, FAINT, "-rotate", 270), ENLARGE, 0, 0)
        return [
            reading.Word(
                word.text, x + width - word.y - word.height, y + word.x, word.height, word.width
            )
            for word in turned
        ]

    def see(
        self, phrase: str, place=None, nth: int = 0, read=None, seconds: float = PATIENCE / 2
    ) -> reading.Word:
        """Where a phrase stands, once it is there."""
        deadline = time.monotonic() + seconds
        while True:
            words = (read or self.read)(place)
            found = reading.find(words, phrase)
            if len(found) > nth:
                return found[nth]
            said = " ".join(word.text for word in words)
            assert time.monotonic() < deadline, f"“{phrase}” is not on the screen: {said}"
            time.sleep(0.3)

    # Mouse and keys

    def click_tab(self, phrase: str, place) -> None:
        """Click on a sidebar's tab."""
        self.click_at(*self.see(phrase, place, read=self.read_tabs).middle)

    def click_at(self, x: int, y: int, button: int = 1, times: int = 1) -> None:
        self.point(x, y)
        press = ("mousedown", button, "sleep", 0.06, "mouseup", button, "sleep", 0.06)
        self._run("xdotool", *press * times)
        self.settle()

    def point(self, x: int, y: int) -> None:
        """Move the pointer; keys go to what lies below it."""
        self._run("xdotool", "mousemove", x - 2, y, "mousemove", x, y)
        self.settle(0.05)

    def drag(self, start: tuple[int, int], end: tuple[int, int], steps: int = 12) -> None:
        """Press at one place, move to another in small steps, let go."""
        self.point(*start)
        self._run("xdotool", "mousedown", 1)
        self.settle(0.1)
        for step in range(1, steps + 1):
            x, y = (a + (b - a) * step // steps for a, b in zip(start, end, strict=True))
            self._run("xdotool", "mousemove", x, y)
            time.sleep(0.03)
        self._run("xdotool", "mouseup", 1)
        self.settle()

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """Hold a key down meanwhile."""
        self._run("xdotool", "keydown", key)
        try:
            yield
        finally:
            self._run("xdotool", "keyup", key)

    def key(self, *keys: str) -> None:
        """Press keys one after the other, each as xdotool names it, such as ``shift+a``."""
        for key in keys:
            self._run("xdotool", "key", "--delay", PACE, key)
            self.settle(0.05)
        self.settle()

    def type(self, text: str) -> None:
        self._run("xdotool", "type", "--delay", PACE, text)
        self.settle()

    def _tesseract(self, place, ink: str, *turned) -> str:
        """What the reader makes of the screen, or of a place on it: its table."""
        shot = ["magick", "x:root", *_crop(place), "-colorspace", "gray"]
        paper = ["-resize", f"{ENLARGE * 100}%", "-negate", "-level", f"0,{ink}"]
        page = f"{root.HOME}/.gui/page.png"
        self._run(*shot, *turned, *paper, page)
        # 11: words wherever they stand. More threads only wait for each other.
        command = ("tesseract", page, "-", "--psm", 11, "tsv")
        return self._run("env", "OMP_THREAD_LIMIT=1", *command)

    def _run(self, *command) -> str:
        full = root.inside(*(self.sid, "env", f"DISPLAY={self.name}", *command), home=self.home)
        done = subprocess.run(full, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout


def _crop(place) -> list[str]:
    if not place:
        return []
    x, y, width, height = place
    return ["-crop", f"{width}x{height}+{x}+{y}", "+repage"]


def _free_number() -> int:
    """Of a display that nobody uses."""
    number = 77
    while os.path.exists(f"/tmp/.X{number}-lock") or _listens(number):
        number += 1
    return number


def _listens(number: int) -> bool:
    """Whether an X server listens under that number; sockets reach across roots."""
    return f"@/tmp/.X11-unix/X{number}" in Path("/proc/net/unix").read_text()
