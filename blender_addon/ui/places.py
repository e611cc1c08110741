"""One panel in two sidebars, the sequencer's and the 3D view's, on the tab “Recam”."""

from __future__ import annotations

import bpy

# Of the tab, from the top.
ORDER = (
    "RECAM_PT_shot",
    "RECAM_PT_moves",
    "RECAM_PT_reshoot",
    "RECAM_PT_queue",
    "RECAM_PT_takes",
    "RECAM_PT_server",
)
SPACES = {"SEQUENCE_EDITOR": "", "VIEW_3D": "_view3d"}  # with what ends the panel's name there


def in_both(panel: type) -> tuple[type, ...]:
    """The two panels to register for a plain class that has ``bl_idname``, ``bl_label``, ``draw``.

    ``poll``, ``draw_header`` and ``bl_options`` work too. In the sequencer it has its own name,
    in the 3D view that name and ``_view3d``. Its place in the tab is that in ``ORDER``. ``draw``
    asks ``versions.sequencer_scene(context)`` for the scene, which may be None, in either place.
    """
    own = {
        "__doc__": panel.__doc__,
        "bl_category": "Recam",
        "bl_region_type": "UI",
        "bl_order": ORDER.index(panel.bl_idname),
    }
    return tuple(
        type(
            panel.bl_idname + ending,
            (panel, bpy.types.Panel),
            {**own, "bl_idname": panel.bl_idname + ending, "bl_space_type": space},
        )
        for space, ending in SPACES.items()
    )


def redraw() -> None:
    """Draw every area anew that may show something of Recam's, to show what has changed."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in SPACES or area.type == "PREFERENCES":
                area.tag_redraw()
