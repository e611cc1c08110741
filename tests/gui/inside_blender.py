"""Runs in the window's Blender and answers what the story asks about its state.

The story puts Python in ``.gui/ask.py`` of the home folder; the value it leaves in ``answer``
comes back as JSON in ``.gui/answer.json``. What an artist does, it never does: that is done with
mouse and keys.
"""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import bpy

ASK = Path(__file__).with_name("ask.py")
ANSWER = ASK.with_name("answer.json")


def listen() -> float:
    if ASK.exists():
        code = ASK.read_text()
        ASK.unlink()
        names = {"bpy": bpy, "answer": None, "addon": addon, "screen": screen, "in_view": in_view}
        try:
            exec(code, names)
            result = {"answer": names["answer"]}
        except Exception:
            result = {"error": traceback.format_exc()}
        half = ANSWER.with_suffix(".half")
        half.write_text(json.dumps(result))
        half.rename(ANSWER)
    return 0.05


def addon(name: str):
    """A module of the installed add-on."""
    return __import__(f"bl_ext.user_default.recam.{name}", fromlist=["*"])


def screen() -> list[dict]:
    """Every region on the screen: its editor, kind, and place in pixels from the upper left."""
    found = []
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            view = getattr(area.spaces.active, "view_type", "")
            for region in area.regions:
                if region.width <= 1 or region.height <= 1:
                    continue
                top = window.height - region.y - region.height
                found.append(
                    {
                        "editor": area.type,
                        "view": view,
                        "region": region.type,
                        "place": [region.x, top, region.width, region.height],
                    }
                )
    return found


def in_view(editor: str, view: str, x: float, y: float) -> list[int]:
    """Where a place in a flat view, such as frame and channel, lies on the screen."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == editor and view in getattr(area.spaces.active, "view_type", ""):
                region = next(region for region in area.regions if region.type == "WINDOW")
                across, up = region.view2d.view_to_region(x, y, clip=False)
                return [region.x + across, window.height - region.y - up]
    raise LookupError(editor)


bpy.context.preferences.view.show_splash = False
bpy.context.preferences.view.show_developer_ui = False
bpy.context.preferences.filepaths.save_version = 0
bpy.context.preferences.system.use_region_overlap = False  # no sidebar over the picture
bpy.app.timers.register(listen, persistent=True)
