"""How the story begins: Blender opens, footage comes in, the file is saved."""

from __future__ import annotations

import shutil
from pathlib import Path

from .artist import PREVIEW, SCENE, SEQUENCER, SIDEBAR, STRIPS, Artist
from .display import HEIGHT, WIDTH

CLIP = Path(__file__).resolve().parents[1] / "clips" / "bigbuckbunny.mp4"
MENUS = (0, 0, WIDTH, 27)


def open_blender(artist: Artist) -> None:
    """Blender opens in its Video Editing workspace."""
    window = artist.window
    window.open(artist.environment)
    assert window.ask('"bl_ext.user_default.recam" in bpy.context.preferences.addons')
    window.click("File", MENUS)
    window.click("New", (0, 0, 300, 400))
    window.click("Video Editing", (0, 0, 500, 400))
    window.wait('bpy.context.workspace.name == "Video Editing"')


def arrange(artist: Artist) -> None:
    """A 3D viewport beside the preview, and the sidebar open."""
    window = artist.window
    x, y, _, height = window.place("FILE_BROWSER", "HEADER")
    window.click_at(x + 22, y + height // 2)
    window.click("3D Viewport")
    x, y, _, height = window.place("PROPERTIES", "NAVIGATION_BAR")
    window.click_at(x - 2, y + height // 2, button=3)
    window.click("Join Right")
    x, y, _, height = window.place("SEQUENCE_EDITOR", "TOOLS", "PREVIEW")
    window.drag((x - 2, y + height // 2), (1040, y + height // 2))
    artist.keys("t", at=PREVIEW)
    x, y, width, _ = window.place("SEQUENCE_EDITOR", "HEADER", "SEQUENCER")
    window.drag((x + width // 2, y - 1), (x + width // 2, HEIGHT - 350))
    artist.keys("a", "Delete", "n")  # the camera of Blender's own start goes
    window.wait(f"not {SCENE}.objects")
    x, y, _, height = window.place(*SIDEBAR)
    window.drag((x - 1, y + height // 2), (x - 70, y + height // 2))
    window.click_tab("Recam", window.place(*SIDEBAR))


def add_clip(artist: Artist) -> None:
    """Real footage as a strip, from the file browser."""
    window = artist.window
    footage = window.home / "footage"
    footage.mkdir()
    shutil.copy(CLIP, footage / "bunny.mp4")
    artist.keys("shift+a", at=SEQUENCER)
    window.click("Movie", window.place(*SEQUENCER))
    window.click("Move Strips")  # else they hang on the pointer
    window.settle(1)
    window.click("footage", times=2)
    window.click("bunny.mp4")
    window.click("Add Movie Strip", until=f"len({STRIPS}) == 2")
    artist.select("bunny.mp4")


def save(artist: Artist) -> None:
    """The file is saved; takes go beside it."""
    window = artist.window
    artist.keys("ctrl+s")
    window.settle(1)
    x, y = window.see("Save Blender File").middle
    window.click_at(x - 400, y)  # the name's field
    window.key("ctrl+a")
    window.type("shot\n")
    window.click("Save Blender File", until='bpy.data.filepath.endswith("shot.blend")')
