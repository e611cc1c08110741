"""Whether footage may leave this machine: the artist is asked once for each address."""

from __future__ import annotations

import ipaddress
import re
from typing import ClassVar

import bpy

from .preferences import address, delete_delivered, preferences
from .shared.errors import RecamError
from .shared.protocol.limits import DEFAULT_ADDRESS
from .translations import words
from .ui.paragraph import QUESTION_WIDTH, question


def is_this_machine(where: str) -> bool:
    """Whether ``tcp://host:port`` leads no farther than this machine's loopback."""
    host = _host(where)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_online(what: str) -> None:
    """RecamError ``offline`` where the artist keeps Blender off the network. what: for what."""
    if not bpy.app.online_access:
        raise RecamError(
            "offline",
            f"{what} needs the network, and Blender is told to stay offline.",
            "Switch on Allow Online Access in Blender's preferences, under System.",
        )


def is_address(where: str) -> bool:
    """Whether it has the form ``tcp://host:port``."""
    return bool(_host(where))


def check_reachable(where: str) -> None:
    """RecamError ``offline`` where Blender may not so much as speak to an address.

    And ``server_address`` where it is none.
    """
    _check_address(where)
    if not is_this_machine(where):
        check_online(f"The server at {where}")


def check_consent(where: str = "") -> None:
    """RecamError ``consent`` or ``offline`` where footage may not be sent to an address.

    where: an address; empty for the one in the preferences.
    """
    where = where or address()
    check_reachable(where)
    if not is_this_machine(where) and where not in allowed():
        raise RecamError(
            "consent",
            f"{where} is another machine, and footage may not be sent to it yet.",
            "Press Allow Sending in the add-on's preferences.",
        )


def allowed() -> list[str]:
    """The addresses that footage may be sent to, beside this machine."""
    return [each.name for each in preferences().allowed]


def allow(where: str) -> None:
    """Footage may be sent to an address from now on."""
    if where not in allowed():
        preferences().allowed.add().name = where
        bpy.context.preferences.is_dirty = True  # kept with Blender's own, as it is set to


def forbid(where: str) -> None:
    """Footage may no longer be sent to an address."""
    found = preferences().allowed.find(where)
    if found >= 0:
        preferences().allowed.remove(found)
        bpy.context.preferences.is_dirty = True


def _check_address(where: str) -> None:
    if not is_address(where):
        raise RecamError(
            "server_address",
            f"{where!r} is not the address of a server.",
            f"An address looks like {DEFAULT_ADDRESS}.",
        )


def _host(where: str) -> str:
    """The host of ``tcp://host:port``; empty where it is no address."""
    match = re.fullmatch(r"tcp://(?:\[([^\]]+)\]|([^:/\[\]]+)):\d+", where.strip())
    return (match[1] or match[2]) if match else ""


class RECAM_OT_allow_sending(bpy.types.Operator):
    """Let Recam send footage to this server, which is another machine"""

    bl_idname = "recam.allow_sending"
    bl_label = "Allow Sending"

    address: bpy.props.StringProperty(
        name="Address",
        description="The server's address; empty for the one in the preferences",
        options={"SKIP_SAVE"},
    )
    reshoot: bpy.props.BoolProperty(
        name="Re-shoot",
        description="Then re-shoot the active strip",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def invoke(self, context, event) -> set[str]:
        self.address = self.address or address()
        return context.window_manager.invoke_props_dialog(
            self,
            width=QUESTION_WIDTH,
            title=words("Send Footage to Another Machine?"),
            confirm_text=words("Allow"),
        )

    def draw(self, context) -> None:
        kept = (
            "The clip, as far as the strip shows it, is sent to {address}, encrypted, and is "
            "deleted there with its takes once those are here."
            if delete_delivered()
            else "The clip, as far as the strip shows it, is sent to {address}, encrypted, and is "
            "kept there with its takes."
        )
        sent = words(kept, address=self.address)
        again = words(
            "You are not asked again for this address; the add-on's preferences take it back."
        )
        question(self.layout, context, [("EXPORT", sent), ("INFO", again)])

    def execute(self, context) -> set[str]:
        where = self.address or address()
        try:
            _check_address(where)
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        allow(where)
        if self.reshoot:
            try:
                bpy.ops.recam.reshoot("INVOKE_DEFAULT")
            except RuntimeError as error:  # what it reported
                self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
        return {"FINISHED"}


class RECAM_OT_forbid_sending(bpy.types.Operator):
    """No longer let Recam send footage to this address"""

    bl_idname = "recam.forbid_sending"
    bl_label = "Forbid Sending"
    bl_options: ClassVar = {"INTERNAL"}

    address: bpy.props.StringProperty(name="Address", description="The server's address")

    def execute(self, context) -> set[str]:
        forbid(self.address)
        return {"FINISHED"}


CLASSES = (RECAM_OT_allow_sending, RECAM_OT_forbid_sending)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
