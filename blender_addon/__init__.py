"""Recam in Blender: reads the scene, shows the state, writes the strip. Knows no torch."""

from __future__ import annotations

from . import consent, settings, translations
from .camera import (
    camera_files,
    footage,
    geometry,
    look_through,
    move_operators,
    move_settings,
    path_drawing,
    path_watch,
    set_up,
)
from .jobs import estimate, files, operators, pictures, running, session
from .local_server import current as server_current
from .local_server import operators as server_operators
from .takes import compare_operators, file_operators, removal, shoot_operators
from .ui import (
    moves_panel,
    preferences_page,
    queue_panel,
    reshoot_panel,
    server_panel,
    shot_panel,
    status_bar,
    strip_menu,
    takes_panel,
)

MODULES = (
    translations,
    preferences_page,
    settings,
    move_settings,
    move_operators,
    path_watch,
    path_drawing,
    consent,
    session,
    pictures,
    running,
    files,
    estimate,
    operators,
    server_current,
    server_operators,
    footage,
    set_up,
    look_through,
    geometry,
    camera_files,
    compare_operators,
    shoot_operators,
    file_operators,
    removal,
    shot_panel,
    moves_panel,
    reshoot_panel,
    queue_panel,
    takes_panel,
    server_panel,
    strip_menu,
    status_bar,
)


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
