"""Where a server is: an address as a person writes it, and as the connection takes it."""

from __future__ import annotations

from ..errors import RecamError


def full_address(text: str) -> str:
    """``tcp://host:port``; who leaves out ``tcp://`` gets it. RecamError ``server_address``."""
    text = text.strip()
    address = text if "://" in text else f"tcp://{text}"
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    is_port = port.isascii() and port.isdecimal() and 0 < int(port[:9]) <= 65535
    if not address.startswith("tcp://") or not host.strip("[]/") or not is_port:
        raise no_address(text)
    return address


def no_address(text: str) -> RecamError:
    """The error for what cannot be connected to."""
    return RecamError(
        "server_address",
        f"{text!r} is not the address of a server.",
        "An address looks like tcp://127.0.0.1:47811.",
    )
