"""Recam in Blender: reads the scene, shows the state, writes the strip. Knows no torch."""

from __future__ import annotations

from . import operators, panel, preferences, running, session, settings

MODULES = (preferences, settings, session, running, operators, panel)


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
