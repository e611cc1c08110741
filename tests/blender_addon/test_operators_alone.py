"""Every operator, as it is found in the search: in an empty file it says what it wants."""

from __future__ import annotations

import re

import pytest

# Those that a panel calls with a job, a strip or an address; alone they would do nothing.
INTERNAL = {"cancel", "dismiss", "fetch_again", "retry", "show_take", "forbid_sending"}
# Those that need nothing to begin with.
ALWAYS = {
    "allow_sending",
    "check_server",
    "fetch_lost",
    "install_server",
    "install_weights",
    "remove_server",
    "show_log",
    "show_preferences",
    "start_server",
}


def operators(bpy) -> dict[str, type]:
    found = {}
    for verb in dir(bpy.ops.recam):
        found[verb] = getattr(bpy.types, f"RECAM_OT_{verb}")
    return found


def test_what_makes_no_sense_alone_is_not_in_the_search(bpy, addon):
    internal = {
        name
        for name, each in operators(bpy).items()
        if "INTERNAL" in getattr(each, "bl_options", ())
    }
    assert internal == INTERNAL


def test_without_a_strip_each_says_what_it_wants(bpy, addon, sequence):
    for name in operators(bpy).keys() - INTERNAL - ALWAYS:
        run = getattr(bpy.ops.recam, name)
        assert not run.poll(), name
        with pytest.raises(RuntimeError) as said:
            run()
        message = str(said.value).partition("poll()")[2].strip()
        assert re.match(r"[A-Z0-9].{8,}[^.]$", message), (name, str(said.value))
        assert "context is incorrect" not in message, name


def test_what_changes_the_artists_data_is_a_step_to_undo(bpy):
    for verb in ("set_up_camera", "add_move", "use_as_geometry", "release_geometry"):
        assert "UNDO" in operators(bpy)[verb].bl_options
    for verb in ("approve_take", "compare_wipe", "delete_take", "restore_take", "cg_over_take"):
        assert "UNDO" in operators(bpy)[verb].bl_options


def test_a_strip_has_recam_in_its_menus(bpy, addon):
    menus = [getattr(bpy.types, name) for name in addon.ui.strip_menu.MENUS]
    for menu in menus:
        assert addon.ui.strip_menu._in_menu in menu.draw._draw_funcs
