"""The story: what an artist does, click by click, and what is true after each step."""

from __future__ import annotations

from .artist import PREVIEW, SCENE, SEQUENCER, SETTINGS, SIDEBAR, STRIPS, VIEW, VIEW_3D, Artist
from .beginning import add_clip, arrange, open_blender, save

CAMERA = f"{SETTINGS}.camera"
JOBS = "addon('jobs.running').jobs"
THROUGH = f"{VIEW}.region_3d.view_perspective == 'CAMERA'"
TAKE = "bunny.mp4 take 1"
WIPES = f"any(s.type == 'WIPE' for s in {STRIPS})"


def set_up(artist: Artist) -> None:
    """Set Up Camera puts the clip where it was shot."""
    artist.panel("Shot")
    artist.press("Set Up Camera", f"{CAMERA} != None and {SETTINGS}.subject != None")
    artist.press("Look Through", THROUGH)
    artist.keys("Home")
    artist.picture("set_up", VIEW_3D, SIDEBAR)


def move(artist: Artist) -> None:
    """A move is a start: keyframes on the camera, its path in the viewport."""
    window = artist.window
    artist.panel("Moves")
    artist.choose("Pan Right", "Arc Left", f"{SCENE}.recam_move.move == 'arc_left'")
    artist.press("Add Move", f"{CAMERA}.animation_data != None")
    artist.press("Show Path", f"{SCENE}.recam_move.show_path")
    artist.keys("KP_0")  # out of the camera: the clip stays on what stands there
    window.wait(f"not ({THROUGH})")
    artist.keys("KP_1", "KP_8", "KP_8", "KP_4", "KP_4", "Home")
    artist.nearer(1)
    window.see("Nothing is wrong with this path", window.place(*SIDEBAR))
    artist.picture("moves", VIEW_3D, SIDEBAR)


def fly(artist: Artist) -> None:
    """Flying the camera is the preview: the last frame, nearer, keyed by hand."""
    window = artist.window
    artist.keys("KP_0", "Home")
    window.wait(THROUGH)
    artist.keys("shift+Right", at=SEQUENCER)
    window.wait(f"{SCENE}.frame_current == 132")
    place = f"list({CAMERA}.matrix_world.translation)"
    before = window.ask(place)
    artist.keys(*_typed("gzz-.8"), "i")
    window.settle(1)
    artist.keys("shift+Left", at=SEQUENCER)
    window.wait(f"{SCENE}.frame_current == 1")
    artist.keys("shift+Right", at=SEQUENCER)
    window.wait(f"{SCENE}.frame_current == 132")
    after = window.ask(place)
    went = sum((a - b) ** 2 for a, b in zip(before, after, strict=True)) ** 0.5
    assert abs(went - 0.8) < 1e-3, (before, after)
    artist.picture("fly")


def cancel(artist: Artist) -> None:
    """A re-shoot that is not wanted is cancelled in the queue."""
    window = artist.window
    artist.panel("Re-shoot")
    artist.choose("Best Available", "Projection", f"{SETTINGS}.engine == 'projection'")
    artist.panel("Queue", beside=True)
    artist.picture_of_sidebar("reshoot")
    artist.press("Re-shoot bunny.mp4", f"len({JOBS}) == 1")
    window.wait(f"addon('jobs.pictures').preview({JOBS}[0].id) is not None")
    with artist.server_held():
        window.settle(1)
        artist.picture("queue")
        artist.press_end("Rendering", f"{JOBS}[0].stand.stage in ('cancelling', 'cancelled')")
    window.wait(f"not {JOBS}[0].running")
    assert window.ask(f"[{JOBS}[0].stand.stage, len({STRIPS})]") == ["cancelled", 2]


def reshoot(artist: Artist) -> None:
    """The take comes back above the original, while Blender goes on."""
    window = artist.window
    artist.press("Re-shoot bunny.mp4", f"len({JOBS}) == 2")
    window.wait(f"not {JOBS}[1].running", seconds=400)
    assert window.ask(f"[{TAKE!r} in {STRIPS}, {STRIPS}['bunny.mp4'].mute]") == [True, True]
    artist.picture("take")


def compare(artist: Artist) -> None:
    """The original and the take, side by side in the preview."""
    artist.select(TAKE)
    artist.panel("Takes")
    artist.press("Wipe", WIPES)
    artist.picture("wipe", SIDEBAR, PREVIEW)
    artist.press("Wipe", f"not {WIPES}")


def approve(artist: Artist) -> None:
    """The take that is liked is marked, and the others are muted."""
    artist.press("Approve", f"'recam_approved' in {STRIPS}[{TAKE!r}]")
    artist.picture_of_sidebar("approved")


def put_cg_over(artist: Artist) -> None:
    """A 3D object stands in the re-shot picture."""
    window = artist.window
    artist.panel("Shot")
    artist.press("Look Through", f"not ({THROUGH})")
    artist.panel("Takes")
    artist.press("CG over This Take", f"{SCENE}.camera.name.startswith({TAKE!r})")
    window.wait(THROUGH)
    artist.keys("shift+a")
    window.click("Mesh")
    window.click("Monkey", until=f"'Suzanne' in {SCENE}.objects")
    artist.keys(*_typed("s.3"), *_typed("gx.75"), *_typed("gy3.6"), *_typed("gz1.15"))
    artist.keys(*_typed("rz-40"), "Home")
    artist.picture("cg", VIEW_3D, SIDEBAR)


def look_at_server(artist: Artist) -> None:
    """The preferences say what the server can do."""
    window = artist.window
    artist.panel("Server")
    artist.picture_of_sidebar("server")
    artist.press("Preferences", "len(bpy.context.window_manager.windows) == 2")
    window.settle(2)
    artist.picture_of_window("preferences", "Preferences")


def _typed(command: str) -> list[str]:
    """The keys of a command such as “move along x by 0.75”, as xdotool names them."""
    names = {".": "period", "-": "minus"}
    return [*(names.get(letter, letter) for letter in command), "Return"]


STEPS = (
    *(open_blender, arrange, add_clip, save),
    *(set_up, move, fly, cancel, reshoot, compare, approve, put_cg_over, look_at_server),
)
