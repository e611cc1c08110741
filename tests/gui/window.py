"""A Blender window on a display of its own, which answers questions about its state."""

from __future__ import annotations

import json
import time
from pathlib import Path

from . import root
from .display import HEIGHT, PATIENCE, SETTLE, WIDTH, Display

AGAIN = 8.0  # seconds until a click that did nothing is tried once more


class Window(Display):
    """Blender, as large as the display."""

    def open(self, environment: dict[str, str]) -> None:
        """Start Blender with these variables, and wait until it answers."""
        script = "inside_blender.py"
        (self.talk / script).write_text((Path(__file__).parent / script).read_text())
        variables = [f"{name}={value}" for name, value in environment.items()]
        variables += [f"DISPLAY={self.name}", "LIBGL_ALWAYS_SOFTWARE=1"]
        place = ("-p", 0, 0, WIDTH, HEIGHT)
        command = ("blender", *place, "--python", f"{root.HOME}/.gui/{script}")
        self.start("env", *variables, *command)
        self.settle(2)

    def ask(self, expression: str, before: str = ""):
        """What an expression gives in Blender, after the statements ``before``."""
        ask, answer = self.talk / "ask.py", self.talk / "answer.json"
        answer.unlink(missing_ok=True)
        half = ask.with_suffix(".half")
        half.write_text(f"{before}\nanswer = {expression}\n")
        half.rename(ask)
        self.until(answer.exists, f"Blender did not answer: {expression}")
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

    def settle(self, seconds: float = SETTLE) -> None:
        """Give Blender the time to take what was done, and to draw."""
        super().settle(seconds)
        self.ask("None")  # answered between two rounds: what came before was taken
        self.ask("None")

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
