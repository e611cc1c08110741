"""Recam in Blender: reads the scene, shows the state, writes the strip. Knows no torch."""

from __future__ import annotations

from . import preferences, settings
from .jobs import operators, running, session
from .ui import reshoot_panel, shot_panel

MODULES = (preferences, settings, session, running, operators, shot_panel, reshoot_panel)


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
