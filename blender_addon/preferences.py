"""Preferences: which server, what may be sent to it, where takes go."""

from __future__ import annotations

import os

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty

from . import versions
from .identity import ADDON
from .shared.protocol.limits import DEFAULT_ADDRESS


class RecamAllowed(bpy.types.PropertyGroup):
    """An address that footage may be sent to; its name is the address."""


class Preferences:
    """What the artist sets there; ``ui.preferences_page`` makes it Blender's."""

    server: StringProperty(
        name="Address",
        description=f"Address of the Recam server; empty for {DEFAULT_ADDRESS}, this machine",
    )
    server_key: StringProperty(
        name="Public Key",
        description="Public key of a server that is not your own (the line in its server.pub); "
        "no secret",
    )
    allowed: CollectionProperty(type=RecamAllowed, options={"HIDDEN"})
    delete_delivered: BoolProperty(
        name="Delete from the Server Once Delivered",
        description="The server deletes the clip and the takes of a re-shoot as soon as the takes "
        "lie in your folder for takes. Whoever re-shoots the clip again sends it again",
    )
    recam_command: StringProperty(
        name="Recam Command",
        description="The program “recam” of a server that you installed by hand; empty for the "
        "one that is installed from here",
        subtype="FILE_PATH",
    )
    keep_server: BoolProperty(
        name="Keep Running After Blender Quits",
        description="Otherwise a server that was started from Blender stops with it, unless it "
        "has a job",
    )
    takes_folder: StringProperty(
        name="Takes",
        description="Folder for takes; // means beside the .blend, and empty its “recam_takes”",
        subtype="DIR_PATH",
        **versions.PATH_OPTIONS,
    )


def preferences() -> Preferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[ADDON].preferences


def address() -> str:
    """The server's address: the preferences', else the environment's, else this machine's."""
    return server_address() or os.environ.get("RECAM_SERVER") or DEFAULT_ADDRESS


def server_address() -> str:
    """The server's address, or nothing for the environment's or this machine's."""
    return preferences().server.strip()


def server_key() -> str:
    """The server's public key, or nothing for this user's own server."""
    return preferences().server_key.strip()


def delete_delivered() -> bool:
    """Whether servers are to delete clips and takes once the takes are here."""
    return preferences().delete_delivered


def takes_folder() -> str:
    """The folder for takes as the artist gave it, or nothing for the one beside the .blend."""
    return preferences().takes_folder.strip()
