"""The story: what an artist does, click by click, and what is true after each step."""

from __future__ import annotations

import shutil
from pathlib import Path

from .artist import PREVIEW, SCENE, SEQUENCER, SETTINGS, SIDEBAR, STRIPS, VIEW, Artist
from .window import HEIGHT, WIDTH

CLIP = Path(__file__).resolve().parents[1] / "clips" / "bigbuckbunny.mp4"
MENUS = (0, 0, WIDTH, 27)
CAMERA = f"{SETTINGS}.camera"
JOBS = "addon('jobs.running').jobs"
THROUGH = f"{VIEW}.region_3d.view_perspective == 'CAMERA'"
TAKE = "bunny take 1"


def open_blender(artist: Artist) -> None:
    """Blender opens in its Video Editing workspace."""
    window = artist.window
    window.open()
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
    window.drag((x + width // 2, y - 1), (x + width // 2, HEIGHT - 310))
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


def set_up(artist: Artist) -> None:
    """Set Up Camera puts the clip where it was shot."""
    artist.panel("Shot")
    artist.press("Set Up Camera", f"{CAMERA} != None and {SETTINGS}.subject != None")
    artist.press("Look Through", THROUGH)
    artist.keys("Home")
    artist.picture("set_up")


def move(artist: Artist) -> None:
    """A move is a start: keyframes on the camera, its path in the viewport."""
    window = artist.window
    artist.panel("Moves")
    artist.choose("Pan Right", "Arc Left", f"{SCENE}.recam_move.move == 'arc_left'")
    artist.press("Add Move", f"{CAMERA}.animation_data != None")
    artist.press("Show Path", f"{SCENE}.recam_move.show_path")
    artist.keys("KP_0")  # out of the camera: the clip stays on what stands there
    window.wait(f"not {THROUGH}")
    artist.keys("KP_1", "KP_8", "KP_8", "KP_4", "KP_4", "Home")
    window.wait("addon('camera.path').path.lines != None")
    artist.picture("moves")


def fly(artist: Artist) -> None:
    """Flying the camera is the preview: the last frame, a little higher, keyed by hand."""
    window = artist.window
    artist.keys("KP_0", "Home")
    window.wait(THROUGH)
    artist.keys("shift+Right", at=SEQUENCER)
    window.wait(f"{SCENE}.frame_current == 132")
    before = window.ask(f"{CAMERA}.location.z")
    artist.keys("g", "z", "0", "period", "3", "Return", "i")
    window.settle(1)
    artist.keys("shift+Left", at=SEQUENCER)
    artist.keys("shift+Right", at=SEQUENCER)
    window.wait(f"{SCENE}.frame_current == 132")
    assert abs(window.ask(f"{CAMERA}.location.z") - before - 0.3) < 1e-3
    artist.picture("fly")


def cancel(artist: Artist) -> None:
    """A re-shoot that is not wanted is cancelled in the queue."""
    artist.panel("Re-shoot")
    artist.choose("Best available", "Projection", f"{SETTINGS}.engine == 'projection'")
    artist.picture("reshoot", *SIDEBAR)
    artist.press("Re-shoot bunny.mp4", f"len({JOBS}) == 1")
    artist.panel("Queue")
    artist.press_end("Rendering", f"not {JOBS}[0].running")
    assert artist.window.ask(f"{JOBS}[0].stand.stage") == "cancelled"
    assert artist.window.ask(f"len({STRIPS})") == 2


def reshoot(artist: Artist) -> None:
    """The take comes back above the original, while Blender goes on."""
    window = artist.window
    artist.panel("Re-shoot")
    artist.press("Re-shoot bunny.mp4", f"len({JOBS}) == 2")
    artist.panel("Queue")
    window.wait(f"addon('jobs.pictures').preview({JOBS}[1].id) != None")
    artist.picture("queue")
    window.wait(f"not {JOBS}[1].running", seconds=400)
    assert window.ask(f"[{TAKE!r} in {STRIPS}, {STRIPS}['bunny.mp4'].mute]") == [True, True]


STEPS = (open_blender, arrange, add_clip, save, set_up, move, fly, cancel, reshoot)
