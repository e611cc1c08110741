"""This Blender's connections: to the server in the preferences, and to those of older jobs."""

from __future__ import annotations

from ..consent import check_reachable
from ..preferences import address, server_key
from ..shared.client.client import Client

PATIENCE_SECONDS = 30 * 86_400.0  # for a server that is away: the artist sees it, and may cancel

_clients: dict[tuple[str, str], Client] = {}


def client(where: str = "", key: str | None = None) -> Client:
    """The client for a server; without a word for that of the preferences.

    key: the server's public key, empty for this user's own server. Raises RecamError for bad keys
    or address, and ``offline`` where Blender may speak to nobody else.
    """
    wanted = (where, key or "") if where else (address(), server_key())
    check_reachable(wanted[0])
    if wanted not in _clients:
        _clients[wanted] = Client(wanted[0], wanted[1] or None, PATIENCE_SECONDS)
    return _clients[wanted]


def close(but: set[Client] = frozenset(), seconds: float = 5.0) -> None:
    """Let go of all servers but those of these clients; jobs go on there.

    seconds: how long each is waited for at most.
    """
    for wanted, each in list(_clients.items()):
        if each not in but:
            del _clients[wanted]
            each.close(seconds)


def register() -> None:
    """Nothing is opened before it is needed."""


def unregister() -> None:
    close()
