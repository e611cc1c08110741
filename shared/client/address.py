"""Where a server is: an address as a person writes it, and as the connection takes it."""

from __future__ import annotations

from ..errors import RecamError
from ..protocol.limits import DEFAULT_ADDRESS, DEFAULT_PORT


def full_address(text: str) -> str:
    """``tcp://host:port``; who leaves out ``tcp://`` gets it. RecamError ``server_address``."""
    text = text.strip()
    address = text if "://" in text else f"tcp://{text}"
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    is_port = port.isascii() and port.isdecimal() and 0 < int(port[:9]) <= 65535
    bare = address.removeprefix("tcp://")
    if bare and "://" not in bare and (":" not in bare or bare.endswith("]")):
        raise no_address(text, f"It needs a port: {bare}:{DEFAULT_PORT}.")
    if not address.startswith("tcp://") or not host.strip("[]/") or not is_port:
        raise no_address(text)
    return address


def no_address(text: str, hint: str = f"An address looks like {DEFAULT_ADDRESS}.") -> RecamError:
    """The error for what cannot be connected to."""
    return RecamError("server_address", f"{text!r} is not the address of a server.", hint)
