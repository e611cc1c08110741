"""This Blender's connection to the server, opened when first needed."""

from __future__ import annotations

from ..preferences import server_address, server_key
from ..shared.client.client import Client

_client: Client | None = None
_for: tuple[str, str] | None = None


def client() -> Client:
    """The client for the server in the preferences. Raises RecamError for bad keys or address."""
    global _client, _for
    wanted = (server_address(), server_key())
    if _client is None or _for != wanted:
        close()
        _client = Client(wanted[0] or None, wanted[1] or None)
        _for = wanted
    return _client


def close() -> None:
    """Let go of the server; jobs go on there."""
    global _client
    if _client is not None:
        _client.close()
        _client = None


def register() -> None:
    """Nothing is opened before it is needed."""


def unregister() -> None:
    close()
