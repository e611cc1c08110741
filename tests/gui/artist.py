"""What an artist's hand does over and over: open a panel, press a button, choose, select."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from .window import AGAIN, PATIENCE, TABS, Window

SEQUENCER = ("SEQUENCE_EDITOR", "WINDOW", "SEQUENCER")
PREVIEW = ("SEQUENCE_EDITOR", "PREVIEW", "PREVIEW")
SIDEBAR = ("VIEW_3D", "UI")
SCENE = "bpy.context.scene"
SETTINGS = f"{SCENE}.recam"
VIEW = "next(a.spaces.active for a in bpy.context.screen.areas if a.type == 'VIEW_3D')"
EDITOR = "bpy.context.workspace.sequencer_scene.sequence_editor"
STRIPS = f"{EDITOR}.strips"
MIDDLE = "s.left_handle + s.duration / 2, s.channel + 0.4"


class Artist:
    """The window, and where its pictures go."""

    def __init__(self, window: Window, out: Path) -> None:
        self.window, self.out = window, out

    def picture(self, name: str, *region: str) -> None:
        """Take a picture for the guide, of a region or of the whole window."""
        self.window.settle(1)
        place = self.window.place(*region) if region else None
        shutil.copy(self.window.picture(name, place), self.out / f"{name}.png")

    def over(self, *region: str) -> None:
        """Point at the middle of a region, so that keys go there."""
        x, y, width, height = self.window.place(*region)
        self.window.point(x + width // 2, y + height // 2)

    def keys(self, *keys: str, at: tuple[str, ...] = ("VIEW_3D",)) -> None:
        """Press keys over a region."""
        self.over(*at)
        self.window.key(*keys)

    def panel(self, name: str) -> None:
        """Open one panel of the sidebar, and close the others, as a click with Ctrl does."""
        place = self.window.place(*SIDEBAR)
        with self.window.holding("ctrl"):
            self.window.click(name, place)

    def press(self, name: str, until: str = "", nth: int = 0) -> None:
        """Press a button of the sidebar, once more if it does not lead to ``until``."""
        self.window.click(name, self.window.place(*SIDEBAR), nth, until)

    def press_end(self, name: str, until: str) -> None:
        """Press the small button at the right end of a line that begins with ``name``."""
        x, _, width, _ = place = self.window.place(*SIDEBAR)
        _, y = self.window.see(name, place).middle
        self.window.click_at(x + width - TABS - 26, y)
        self.window.wait(until)

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
