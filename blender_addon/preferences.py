"""Preferences: which server."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from .identity import ADDON
from .shared.protocol.limits import DEFAULT_ADDRESS


class RecamPreferences(bpy.types.AddonPreferences):
    """Where the inference server is."""

    bl_idname = ADDON

    server: StringProperty(
        name="Server",
        description=f"Address of the inference server; empty for {DEFAULT_ADDRESS}",
    )
    server_key: StringProperty(
        name="Server key",
        description="Public key of a server that is not your own (the line in its server.pub)",
    )

    def draw(self, context) -> None:
        self.layout.prop(self, "server")
        self.layout.prop(self, "server_key")


def server_address() -> str:
    """The server's address, or nothing for the environment's or this machine's."""
    return _preferences().server.strip()


def server_key() -> str:
    """The server's public key, or nothing for this user's own server."""
    return _preferences().server_key.strip()


def _preferences() -> RecamPreferences:
    return bpy.context.preferences.addons[ADDON].preferences


def register() -> None:
    bpy.utils.register_class(RecamPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(RecamPreferences)
