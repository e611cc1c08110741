"""Preferences: which server."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from . import versions
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

    takes_folder: StringProperty(
        name="Takes",
        description="Folder for takes; // means beside the .blend, and empty its “recam_takes”",
        subtype="DIR_PATH",
        **versions.PATH_OPTIONS,
    )

    def draw(self, context) -> None:
        self.layout.prop(self, "server")
        self.layout.prop(self, "server_key")
        self.layout.prop(self, "takes_folder")


def server_address() -> str:
    """The server's address, or nothing for the environment's or this machine's."""
    return _preferences().server.strip()


def server_key() -> str:
    """The server's public key, or nothing for this user's own server."""
    return _preferences().server_key.strip()


def takes_folder() -> str:
    """The folder for takes as the artist gave it, or nothing for the one beside the .blend."""
    return _preferences().takes_folder.strip()


def _preferences() -> RecamPreferences:
    return bpy.context.preferences.addons[ADDON].preferences


def register() -> None:
    bpy.utils.register_class(RecamPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(RecamPreferences)
