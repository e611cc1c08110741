"""The story: what an artist does, click by click, and what is true after each step."""

from __future__ import annotations

import shutil
from pathlib import Path

from .window import HEIGHT, WIDTH, Window

CLIP = Path(__file__).resolve().parents[1] / "clips" / "bigbuckbunny.mp4"
SEQUENCER = ("SEQUENCE_EDITOR", "WINDOW", "SEQUENCER")
EDITOR = "bpy.context.workspace.sequencer_scene.sequence_editor"
SETTINGS = "bpy.context.scene.recam"
VIEW = "next(a.spaces.active for a in bpy.context.screen.areas if a.type == 'VIEW_3D')"
STRIPS = f"{EDITOR}.strips"
MENUS = (0, 0, WIDTH, 27)
SIDEBAR = ("VIEW_3D", "UI")


class Story:
    """The window, and where its pictures go."""

    def __init__(self, window: Window, out: Path) -> None:
        self.window, self.out = window, out

    def picture(self, name: str, place=None) -> None:
        """Take a picture for the guide."""
        shutil.copy(self.window.picture(name, place), self.out / f"{name}.png")

    def over(self, *region: str) -> None:
        """Point at the middle of a region, so that keys go there."""
        x, y, width, height = self.window.place(*region)
        self.window.point(x + width // 2, y + height // 2)

    def panel(self, name: str) -> None:
        """Open one panel of the sidebar, and close the others, as a click with Ctrl does."""
        place = self.window.place(*SIDEBAR)
        with self.window.holding("ctrl"):
            self.window.click(name, place)

    def press(self, name: str, until: str = "", nth: int = 0) -> None:
        """Press a button of the sidebar, once more if it does not lead to ``until``."""
        self.window.click(name, self.window.place(*SIDEBAR), nth, until)

    def select(self, strip: str) -> None:
        """Click on a strip, where neither its picture nor its name is."""
        middle = "s.left_handle + s.duration / 2, s.channel + 0.4"
        place = f'in_view("SEQUENCE_EDITOR", "SEQUENCER", {middle})'
        for _ in range(3):  # while Blender reads a new strip, a click may be lost
            self.window.click_at(*self.window.ask(place, f"s = {STRIPS}[{strip!r}]"))
            self.window.settle(1)
            if self.window.ask(f"{EDITOR}.active_strip.name") == strip:
                return
        raise AssertionError(f"{strip} could not be selected")


def open_blender(told: Story) -> None:
    """Blender opens in its Video Editing workspace."""
    window = told.window
    window.open()
    assert window.ask('"bl_ext.user_default.recam" in bpy.context.preferences.addons')
    window.click("File", MENUS)
    window.click("New", (0, 0, 300, 400))
    window.click("Video Editing", (0, 0, 500, 400))
    window.wait('bpy.context.workspace.name == "Video Editing"')


def arrange(told: Story) -> None:
    """A 3D viewport beside the preview, and the sidebar open."""
    window = told.window
    x, y, _, height = window.place("FILE_BROWSER", "HEADER")
    window.click_at(x + 22, y + height // 2)
    window.click("3D Viewport")
    x, y, _, height = window.place("PROPERTIES", "NAVIGATION_BAR")
    window.click_at(x - 2, y + height // 2, button=3)
    window.click("Join Right")
    x, y, _, height = window.place("SEQUENCE_EDITOR", "TOOLS", "PREVIEW")
    window.drag((x - 2, y + height // 2), (960, y + height // 2))
    x, y, width, _ = window.place("SEQUENCE_EDITOR", "HEADER", "SEQUENCER")
    window.drag((x + width // 2, y - 1), (x + width // 2, HEIGHT - 330))
    told.over("VIEW_3D")
    window.key("a", "Delete", "n")  # the camera of Blender's own start goes
    window.wait("not bpy.context.scene.objects")
    x, y, _, height = window.place(*SIDEBAR)
    window.drag((x - 1, y + height // 2), (x - 70, y + height // 2))
    window.click_tab("Recam", window.place(*SIDEBAR))


def add_clip(told: Story) -> None:
    """Real footage as a strip, from the file browser."""
    window = told.window
    footage = window.home / "footage"
    footage.mkdir()
    shutil.copy(CLIP, footage / "bunny.mp4")
    told.over(*SEQUENCER)
    window.key("shift+a")
    window.click("Movie", window.place(*SEQUENCER))
    window.click("Move Strips")  # else they hang on the pointer
    window.settle(1)
    window.click("footage", times=2)
    window.click("bunny.mp4")
    window.click("Add Movie Strip")
    strips = window.wait(f"[(s.type, s.channel) for s in {STRIPS}]")
    assert ["MOVIE", 2] in strips, strips
    told.select("bunny.mp4")
    told.picture("clip")


def save(told: Story) -> None:
    """The file is saved; takes go beside it."""
    window = told.window
    told.over("VIEW_3D")
    window.key("ctrl+s")
    window.settle(1)
    x, y = window.see("Save Blender File").middle
    window.click_at(x - 400, y)  # the name's field
    window.key("ctrl+a")
    window.type("shot\n")
    window.click("Save Blender File", until='bpy.data.filepath.endswith("shot.blend")')


def set_up(told: Story) -> None:
    """Set Up Camera puts the clip where it was shot."""
    told.panel("Shot")
    told.press("Set Up Camera", f"{SETTINGS}.camera != None and {SETTINGS}.subject != None")
    told.press("Look Through", f"{VIEW}.region_3d.view_perspective == 'CAMERA'")
    told.picture("set_up")


STEPS = (open_blender, arrange, add_clip, save, set_up)
