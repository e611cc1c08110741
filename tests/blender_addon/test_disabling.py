"""What a disabled add-on leaves behind: nothing."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def switch(bpy, package):
    """Disables the add-on, and enables it again; it is enabled afterwards."""

    def run(on: bool):
        verb = bpy.ops.preferences.addon_enable if on else bpy.ops.preferences.addon_disable
        assert verb(module=package) == {"FINISHED"}

    yield run
    if package not in bpy.context.preferences.addons:
        run(True)


@pytest.fixture(autouse=True)
def others():
    """Processes that run already: servers which serve all tests."""
    return set(children())


@pytest.fixture
def left(bpy, package, others):
    """Tells all of the add-on's that Blender holds, by its kind."""
    return lambda: held(bpy, package, others)


def held(bpy, package, others: set[int]) -> dict[str, list]:
    ids = [getattr(bpy.types, name) for name in dir(bpy.types)]
    rnas = {each.__name__: each.bl_rna for each in ids if hasattr(each, "bl_rna")}
    return {
        "classes": [name for name in dir(bpy.types) if name.lower().startswith("recam")],
        "operators": dir(bpy.ops.recam),
        "properties": [
            (name, key)
            for name, rna in rnas.items()
            for key, _ in rna.properties.items()
            if key.startswith("recam")
        ],
        "handlers": [
            each
            for name in dir(bpy.app.handlers)
            for each in listed(getattr(bpy.app.handlers, name))
            if is_ours(each, package)
        ],
        "menu entries": [
            (each.__name__, entry)
            for each in ids
            for entry in getattr(getattr(each, "draw", None), "_draw_funcs", ())
            if is_ours(entry, package) and not is_ours(each, package)
        ],
        "preferences": [package] if package in bpy.context.preferences.addons else [],
        "threads": [each for each in threading.enumerate() if each.name.startswith("recam")],
        "processes": [each for each in children() if each not in others],
    }


def is_ours(thing, package) -> bool:
    return (getattr(thing, "__module__", "") or "").startswith(package)


def listed(value) -> list:
    return value if isinstance(value, list) else []


def children() -> list[int]:
    """The processes that this one has started, where the system tells."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended this very moment
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def rendering(bpy, addon, sequence, clip):
    """A strip whose clip is being rendered for the 3D view, in another Blender."""
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11)
    strip.crop.min_x = 4
    sequence.sequence_editor.active_strip = strip
    assert bpy.ops.recam.set_up_camera() == {"FINISHED"}
    addon.camera.footage.job.tick()
    assert addon.camera.footage.job.running


def test_nothing_is_left_though_something_was_under_way(addon, left, switch, rendering):
    before = left()
    there = ("classes", "operators", "properties", "handlers", "menu entries", "threads")
    assert [kind for kind in there if not before[kind]] == []
    assert before["processes"] or not sys.platform.startswith("linux")
    pictures = addon.jobs.pictures
    switch(False)
    assert {kind: things for kind, things in left().items() if things} == {}
    assert pictures.preview("any") is None and pictures._previews is None
    assert not addon.jobs.running.jobs and addon.camera.footage.job is None


def test_it_can_be_disabled_and_enabled_again_and_again(left, switch):
    def counts():
        return {kind: len(things) for kind, things in left().items()}

    before = counts()
    for _ in range(2):
        switch(False)
        assert not any(counts().values())
        switch(True)
        assert counts() == before


def test_what_the_artist_set_is_there_again(bpy, addon, sequence, package, switch):
    sequence.recam.prompt, sequence.recam.subject_distance = "a street", 7.5
    sequence.recam_move.move = "orbit"
    switch(False)
    assert not hasattr(sequence, "recam")
    switch(True)
    assert sequence.recam.prompt == "a street" and sequence.recam.subject_distance == 7.5
    assert sequence.recam_move.move == "orbit"


def test_the_draw_handler_and_the_timers_of_a_window_go_too(bpy, addon, package, switch):
    """Here as far as there is no window: what is registered is what is taken away."""
    drives = [addon.local_server.current._drive_task, addon.local_server.current._drive_watch]
    drives += [addon.jobs.estimate._drive, addon.camera.footage._drive]
    drives += [addon.camera.path_watch.tick, addon.jobs.files._after_load]
    for each in drives:
        bpy.app.timers.register(each, first_interval=1000)
    switch(False)
    still = [each for each in drives if bpy.app.timers.is_registered(each)]
    for each in still:  # one that is left at exit ends Blender badly
        bpy.app.timers.unregister(each)
    assert not still
