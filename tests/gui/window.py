"""A Blender window on a display of its own: mouse, keys, pictures, words, and questions."""

from __future__ import annotations

import json
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
AGAIN = 8.0  # seconds until a click that did nothing is tried once more
PACE = "20"  # milliseconds between keys, so that Blender takes each for itself


class Window:
    """Blender in ``sid``, whose HOME is the folder ``home``."""

    def __init__(self, sid: Path, home: Path, environment: dict[str, str]) -> None:
        self.sid, self.home, self.talk = sid, home, home / ".gui"
        self.talk.mkdir()
        self.display = _free_display()
        self.log = (self.talk / "blender.log").open("w")
        self.processes = [self._start("Xvfb", self.display, "-screen", "0", f"{WIDTH}x{HEIGHT}x24")]
        self.variables = [f"{name}={value}" for name, value in environment.items()]
        self.variables += [f"DISPLAY={self.display}", "LIBGL_ALWAYS_SOFTWARE=1"]
        socket = Path(f"/tmp/.X11-unix/X{self.display[1:]}")
        self._until(lambda: (sid / socket.relative_to("/")).exists(), "the display did not start")

    def open(self, *arguments: str) -> None:
        """Start Blender, filling the display, and wait until it listens."""
        script = (Path(__file__).parent / "inside_blender.py").read_text()
        (self.talk / "inside_blender.py").write_text(script)
        place = ("-p", 0, 0, WIDTH, HEIGHT)
        command = ("env", *self.variables, "blender", *place, *arguments)
        self.processes.append(
            self._start(*command, "--python", f"{root.HOME}/.gui/inside_blender.py")
        )
        self.ask("None")
        self.settle(2)

    def close(self) -> None:
        """End Blender and the display."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.log.close()

    # Questions

    def ask(self, expression: str, before: str = ""):
        """What an expression gives in Blender, after the statements ``before``."""
        ask, answer = self.talk / "ask.py", self.talk / "answer.json"
        answer.unlink(missing_ok=True)
        half = ask.with_suffix(".half")
        half.write_text(f"{before}\nanswer = {expression}\n")
        half.rename(ask)
        self._until(answer.exists, f"Blender did not answer: {expression}")
        said = json.loads(answer.read_text())
        assert "error" not in said, said["error"]
        return said["answer"]

    def wait(self, expression: str, before: str = "", seconds: float = PATIENCE):
        """What the expression gives in Blender, once it gives something."""
        deadline = time.monotonic() + seconds
        while not (given := self.ask(expression, before)):
            assert time.monotonic() < deadline, f"never became true: {expression}"
            time.sleep(0.2)
        return given

    def place(self, editor: str, region: str = "WINDOW", view: str = "") -> tuple[int, ...]:
        """Where a region lies: x, y, width, height in pixels from the upper left."""
        for found in self.ask("screen()"):
            if (found["editor"], found["region"]) == (editor, region) and view in found["view"]:
                return tuple(found["place"])
        raise AssertionError(f"no {region} of {editor} {view} is on the screen")

    def outline(self, title: str) -> tuple[int, ...]:
        """Where the window lies that has this word in its title."""
        found = self._run("xdotool", "search", "--name", title, "getwindowgeometry", "--shell")
        lies = dict(line.split("=") for line in found.split())
        return tuple(int(lies[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    # Pictures

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

    def click(
        self,
        phrase: str,
        place=None,
        nth: int = 0,
        until: str = "",
        seconds: float = PATIENCE / 2,
        **more,
    ) -> None:
        """Click on a phrase that stands on the screen; ``until``: again, until this is true."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.click_at(*self.see(phrase, place, nth, seconds=seconds).middle, **more)
            soon = time.monotonic() + AGAIN
            while until and time.monotonic() < soon:
                if self.ask(until):
                    return
                time.sleep(0.2)
            if not until:
                return
            assert time.monotonic() < deadline, f"“{phrase}” does not lead to {until}"

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

    def settle(self, seconds: float = SETTLE) -> None:
        """Give Blender the time to take what was done, and to draw."""
        time.sleep(seconds)
        self.ask("None")  # answered between two rounds: what came before was taken
        self.ask("None")

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
        full = root.inside(*(self.sid, "env", f"DISPLAY={self.display}", *command), home=self.home)
        done = subprocess.run(full, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def _start(self, *command) -> subprocess.Popen:
        full = root.inside(self.sid, *command, home=self.home)
        return subprocess.Popen(full, stdout=self.log, stderr=subprocess.STDOUT)

    def _until(self, condition, otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = [process for process in self.processes if process.poll() is not None]
            assert not ended, f"{otherwise}: it ended, see {self.log.name}"
            assert time.monotonic() < deadline, otherwise
            time.sleep(0.05)


def _crop(place) -> list[str]:
    if not place:
        return []
    x, y, width, height = place
    return ["-crop", f"{width}x{height}+{x}+{y}", "+repage"]


def _free_display() -> str:
    """A display number that nobody uses."""
    number = 77
    while os.path.exists(f"/tmp/.X{number}-lock") or _abstract(number):
        number += 1
    return f":{number}"


def _abstract(number: int) -> bool:
    """Whether an X server listens under that number; sockets reach across roots."""
    return f"@/tmp/.X11-unix/X{number}" in Path("/proc/net/unix").read_text()
