"""The add-on's page in Blender's preferences: connection, sending, local server, takes."""

from __future__ import annotations

import bpy

from ..consent import allowed, is_address, is_this_machine
from ..identity import ADDON
from ..local_server import current, places
from ..local_server.builds import build
from ..preferences import Preferences, RecamAllowed, address
from ..shared.protocol.limits import DEFAULT_ADDRESS
from ..shared.version import VERSION
from ..translations import words
from .paragraph import paragraph
from .server_state import draw_buttons, draw_state, draw_task, title

MARGINS = 60  # pixels at scale 1 that the page has beyond a panel's


class RecamPreferences(Preferences, bpy.types.AddonPreferences):
    """Which server, what may be sent to it, where takes go"""

    bl_idname = ADDON

    def draw(self, context) -> None:
        _draw(self, self.layout, context)


def _draw(preferences, layout, context) -> None:
    width = context.region.width - MARGINS * context.preferences.system.ui_scale
    layout.use_property_split = True
    layout.use_property_decorate = False
    _connection(preferences, _group(layout, words("Connection"), "LINKED"), width)
    sending = _group(layout, words("Sending Footage"), "EXPORT")
    _sending(sending, width)
    sending.prop(preferences, "delete_delivered")
    _local_server(preferences, _group(layout, words("Local Server"), "DISK_DRIVE"), context, width)
    takes = _group(layout, words("Takes"), "FILE_MOVIE")
    by_the_blend = words("recam_takes by the .blend")
    takes.prop(preferences, "takes_folder", text="Folder", placeholder=by_the_blend)


def _group(layout, title: str, icon: str):
    box = layout.box()
    box.label(text=title, icon=icon)
    return box.column()


def _connection(preferences, layout, width: float) -> None:
    layout.prop(preferences, "server", placeholder=DEFAULT_ADDRESS)
    layout.prop(preferences, "server_key", placeholder=words("that of your own server"))
    draw_state(layout, width)
    seen = current.watch.seen
    for engine in seen.engines if seen else ():
        if not engine["can_run"]:
            why = {"engine": title(engine), "reason": engine["reason"]}
            paragraph(layout, words("{engine} cannot run: {reason}", **why), "INFO", width)


def _sending(layout, width: float) -> None:
    where = address()
    if not is_address(where):
        nowhere = "{address} is not the address of a server: footage is sent nowhere."
        paragraph(layout, words(nowhere, address=where), "INFO", width)
    elif is_this_machine(where):
        stays = words("The server is on this machine: footage stays here.")
        paragraph(layout, stays, "INFO", width)
    elif where not in allowed():
        asked = "{address} is another machine: you are asked before footage is sent to it."
        paragraph(layout, words(asked, address=where), "INFO", width)
        _right(layout).operator("recam.allow_sending", text="Allow Sending…", icon="CHECKMARK")
    for each in allowed():
        row = layout.split(factor=0.8)
        may = words("Footage may be sent to {address}.", address=each)
        row.label(text=may, icon="CHECKMARK", translate=False)
        row.operator("recam.forbid_sending", text="Forbid", icon="X").address = each


def _local_server(preferences, layout, context, width: float) -> None:
    there = places.installed()
    paragraph(layout, _installed_words(there), "INFO", width)
    draw_task(layout, context, width)
    row = _right(layout)
    if there or preferences.recam_command:
        draw_buttons(row)
    label = "Install…"
    if there:
        label = "Change or Repair…" if there.version == VERSION else "Update…"
    row.operator("recam.install_server", text=label, icon="IMPORT")
    if places.environment().exists():  # what a failed install left behind, too
        row.operator("recam.remove_server", text="Remove…", icon="TRASH")
    if there or preferences.recam_command:
        row = _right(layout)
        row.operator("recam.check_server", icon="VIEWZOOM")
        row.operator("recam.install_weights", text="Fetch Weights…", icon="IMPORT")
        row.operator("recam.show_log", icon="TEXT").log = _log()
    if current.sentences:
        box = layout.box().column()
        for sentence in current.sentences:
            paragraph(box, sentence, "DOT", width)
    layout.prop(preferences, "keep_server")
    layout.prop(preferences, "recam_command", placeholder=words("only if you installed it by hand"))
    if not bpy.app.online_access:
        paragraph(
            layout,
            words(
                "Blender is told to stay offline: nothing is downloaded. Allow Online Access is "
                "under System."
            ),
            "INTERNET_OFFLINE",
            width,
        )


def _installed_words(there: places.Installed | None) -> str:
    if there is None:
        return words("No server is installed from here.")
    said = words(
        "Recam {version} is installed in {folder}: {build}.",
        version=there.version,
        folder=places.environment(),
        build=words(build(there.build).title),
    )
    if there.version == VERSION:
        return said
    return f"{said} {words('The add-on is {version}: update it.', version=VERSION)}"


def _log() -> str:
    return current.task.log.stem if current.task else "server"


def _right(layout):
    """A row for buttons, in line with the properties' fields."""
    split = layout.split(factor=0.4)
    split.label()
    return split.row()


register, unregister = bpy.utils.register_classes_factory([RecamAllowed, RecamPreferences])
