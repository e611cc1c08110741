"""What an artist's hand does over and over: open a panel, press a button, choose, select."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from tests.servers import Server

from .display import HEIGHT, PATIENCE, TABS
from .reading import find
from .window import AGAIN, Window

SEQUENCER = ("SEQUENCE_EDITOR", "WINDOW", "SEQUENCER")
PREVIEW = ("SEQUENCE_EDITOR", "PREVIEW", "PREVIEW")
SIDEBAR = ("VIEW_3D", "UI")
PANELS = ("Shot", "Moves", "Re-shoot", "Queue", "Takes", "Server")
SCENE = "bpy.context.scene"
SETTINGS = f"{SCENE}.recam"
VIEW_3D = ("VIEW_3D",)
VIEW = "next(a.spaces.active for a in bpy.context.screen.areas if a.type == 'VIEW_3D')"
EDITOR = "bpy.context.workspace.sequencer_scene.sequence_editor"
STRIPS = f"{EDITOR}.strips"
MIDDLE = "s.left_handle + s.duration / 2, s.channel + 0.4"


class Artist:
    """The window, and where its pictures go."""

    def __init__(
        self, window: Window, server: Server, environment: dict[str, str], out: Path
    ) -> None:
        self.window, self.server, self.out = window, server, out
        self.environment = environment  # of Blender

    def picture(self, name: str, *regions: tuple[str, ...]) -> None:
        """Take a picture for the guide: the whole window, or what encloses regions."""
        self.window.settle(2)
        self._keep(name, _around([self.window.place(*each) for each in regions]))

    def picture_of_sidebar(self, name: str) -> None:
        """Take a picture of the sidebar as far down as its last panel."""
        self.window.settle(1)
        x, y, width, _ = place = self.window.place(*SIDEBAR)
        last = max(word.y + word.height for word in self.window.read(place))
        self._keep(name, (x, y, width, round(last) + 14 - y))

    def picture_of_window(self, name: str, title: str) -> None:
        """Take a picture of another of Blender's windows."""
        self._keep(name, self.window.outline(title))

    def _keep(self, name: str, place) -> None:
        shutil.copy(self.window.picture(name, place), self.out / f"{name}.png")

    @contextmanager
    def server_held(self) -> Iterator[None]:
        """Meanwhile the server's worker stands still, so that there is time to look and click."""
        front = self.server.process.pid
        children = Path(f"/proc/{front}/task/{front}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGSTOP)
        try:
            yield
        finally:
            for child in children:
                with suppress(ProcessLookupError):  # the server may have ended it
                    os.kill(int(child), signal.SIGCONT)

    def over(self, *region: str) -> None:
        """Point at the middle of a region, so that keys go there."""
        x, y, width, height = self.window.place(*region)
        self.window.point(x + width // 2, y + height // 2)

    def nearer(self, steps: int) -> None:
        """Turn the wheel over the 3D view."""
        x, y, width, height = self.window.place(*VIEW_3D)
        self.window.click_at(x + width // 2, y + height // 2, button=4, times=steps)

    def keys(self, *keys: str, at: tuple[str, ...] = VIEW_3D) -> None:
        """Press keys over a region."""
        self.over(*at)
        self.window.key(*keys)

    def panel(self, name: str, beside: bool = False) -> None:
        """Open a panel of the sidebar; close the others, as a click with Ctrl does, or not."""
        place = self.window.place(*SIDEBAR)
        for _ in range(5):  # a click may be lost while Blender is busy
            with nullcontext() if beside else self.window.holding("ctrl"):
                self.window.click(name, place)
            self.window.settle(1)
            if self._is_open(name, place):
                return
        raise AssertionError(f"the panel “{name}” could not be opened")

    def _is_open(self, name: str, place) -> bool:
        """Whether there are words below its header, before the next one."""
        words = self.window.read(place)
        headers = [found[0].y for each in PANELS if (found := find(words, each))]
        own = find(words, name)[0].y
        below = min((y for y in headers if y > own + 5), default=HEIGHT)
        return any(own + 12 < word.y < below - 12 for word in words)

    def press(self, name: str, until: str = "", nth: int = 0) -> None:
        """Press a button of the sidebar, once more if it does not lead to ``until``."""
        self.window.click(name, self.window.place(*SIDEBAR), nth, until)

    def press_end(self, name: str, until: str) -> None:
        """Press the small button at the right end of the line with ``name``, until this is so."""
        x, _, width, _ = place = self.window.place(*SIDEBAR)
        for _ in range(5):  # a click may be lost while Blender is busy, and lines above come and go
            _, y = self.window.see(name, place).middle
            self.window.click_at(x + width - TABS - 26, y)
            self.window.settle(1)
            if self.window.ask(until):
                return
        raise AssertionError(f"the button beside “{name}” does not lead to {until}")

    def choose(self, now: str, then: str, until: str) -> None:
        """Open the list that shows ``now``, and choose ``then`` in it."""
        deadline = time.monotonic() + PATIENCE
        place = self.window.place(*SIDEBAR)
        while not self.window.ask(until):
            assert time.monotonic() < deadline, f"“{then}” could not be chosen"
            if now in " ".join(word.text for word in self.window.read(place)):
                self.window.click(now, place)
            try:
                self.window.click(then, seconds=AGAIN)
            except AssertionError:
                continue  # the list did not open
            self.window.settle(1)

    def select(self, strip: str) -> None:
        """Click on a strip, where neither its picture nor its name is."""
        place = f'in_view("SEQUENCE_EDITOR", "SEQUENCER", {MIDDLE})'
        for _ in range(3):  # while Blender reads a new strip, a click may be lost
            self.window.click_at(*self.window.ask(place, f"s = {STRIPS}[{strip!r}]"))
            self.window.settle(1)
            if self.window.ask(f"{EDITOR}.active_strip.name") == strip:
                return
        raise AssertionError(f"{strip} could not be selected")


def _around(places: list[tuple[int, ...]]) -> tuple[int, int, int, int] | None:
    """What encloses all places, each x, y, width, height; None for none."""
    if not places:
        return None
    left, top = min(place[0] for place in places), min(place[1] for place in places)
    right = max(place[0] + place[2] for place in places)
    return left, top, right - left, max(place[1] + place[3] for place in places) - top
