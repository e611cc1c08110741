"""Who may come in: the keys that the user's config folder lists, at the handshake and after it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable

from shared.errors import RecamError
from shared.folders import config_folder
from shared.protocol.keys import client_keys

from ...observing.allowance import Allowance
from ...observing.logs import event
from ..journal.job_events import short_owner
from .clients import clients_folder, close_to_others, listed

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # between two looks at files that were changed in their place
MINUTE = 60.0
# Of one key. Whoever chooses a routing id of its own may guess another's, or the one that libzmq
# gives next, which ends the process: among four thousand million ids, if it may try them all.
HANDSHAKES_A_MINUTE = 300
MOST_KNOCKS = 20  # refused keys that go into the log in a minute


class Door:
    """Lets in this user's own key and the clients that are listed.

    CURVE asks at the handshake alone; the front asks at every message, so that a key that is
    revoked gets nothing more on a connection that lasts.

    on_revoked: called when ``revoked`` may have become true of a key.
    """

    def __init__(self, on_revoked: Callable[[], None] = lambda: None) -> None:
        self._on_revoked = on_revoked
        # As text: at every message they are looked at twice.
        self._list, self._own = str(clients_folder()), str(config_folder() / "client.key")
        self._seen: tuple = ()
        self._shut = False  # for newcomers, while the user's own key cannot be read
        self._keys: frozenset[bytes] = frozenset()
        self._gone: frozenset[bytes] = frozenset()  # that were let in, and were taken off the list
        self._by_name: dict[str, bytes] = {}
        self._damaged: frozenset[str] = frozenset()
        self._minute = 0.0
        self._knocks: dict[bytes, None] = {}
        self._coming: dict[bytes, Allowance] = defaultdict(lambda: Allowance(HANDSHAKES_A_MINUTE))
        self.refused = 0  # handshakes

    def lets_in(self, key: str) -> bool:
        """Whether this public key is let in now. Costs two looks at the disk's tables."""
        self._look()
        return key.encode() in self._keys

    def revoked(self, key: str) -> bool:
        """Whether this public key was taken off the list. Of one that was never seen on it that is
        not known while a file is damaged, which may be its own."""
        if self.lets_in(key):
            return False
        return self._certain or key.encode() in self._gone

    @property
    def _certain(self) -> bool:
        return not (self._shut or self._damaged)

    def callback(self, domain: str, key: bytes) -> bool:
        """As the ZAP authenticator asks, at a handshake."""
        self._look()
        if self._shut:
            return False
        if key not in self._keys:
            self._knocked(key)
            return False
        if self._coming[key].take() is None:
            self.refused += 1
            log.warning("a client connects too often, and is not let in: %s…", key[:8].decode())
            return False
        return True

    async def watch(self) -> None:
        """Look now and then, also while nobody says anything."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self._look(anew=True)
            except Exception:  # it must not be the last look
                log.exception("who may come in could not be looked at")

    def say_who(self, address: str) -> None:
        """At the start: a plain warning where the server can be reached from other machines."""
        for folder in (config_folder(), clients_folder()):
            close_to_others(folder)
        if is_loopback(address):
            return
        self._look()
        names = ", ".join(self._by_name) or "no other client"
        log.warning(
            "the server listens at %s, beyond this machine; let in are its user's own key and: %s",
            address,
            names,
        )

    def _look(self, *, anew: bool = False) -> None:
        folder, own = _stamp(self._list), _stamp(self._own)
        if not anew and self._seen == (folder, own):
            return
        try:
            mine, clients = client_keys().public, listed()
        except (RecamError, OSError) as error:  # out of here it would end the authenticator
            if not self._shut:
                log.error("nobody new is let in: %s", error)
            self._seen, self._shut = (folder, own), True
            return
        was_certain, self._shut = self._certain, False
        # A file that is just being written, or came to harm, takes nobody's leave away.
        before = {key: name for name, key in self._by_name.items()}
        by_name = {each.name: each.key or self._by_name.get(each.name) for each in clients}
        self._say_damaged(frozenset(each.name for each in clients if each.key is None))
        self._by_name = {name: key for name, key in by_name.items() if key}
        let_in, self._keys = self._keys, frozenset({mine, *self._by_name.values()})
        self._seen = folder, own
        gone = let_in - self._keys
        self._gone = (self._gone | gone) - self._keys
        for key in gone:
            name = before.get(key, "(this user's own)")
            owner = short_owner(key.decode())
            event(log, "a client is no longer let in", client=name, owner=owner)
        if gone or (self._certain and not was_certain):
            self._on_revoked()

    def _say_damaged(self, damaged: frozenset[str]) -> None:
        for name in sorted(damaged - self._damaged):
            log.warning("a client's key %s.pub is damaged: it is not one line of a key", name)
        self._damaged = damaged

    def _knocked(self, key: bytes) -> None:
        """Told once a minute for each key, and not for endlessly many."""
        self.refused += 1
        now = time.monotonic()
        if now - self._minute >= MINUTE:
            self._minute = now
            self._knocks.clear()
        if key not in self._knocks and len(self._knocks) < MOST_KNOCKS:
            self._knocks[key] = None
            log.warning("a key that is not listed was not let in: %s…", key[:8].decode())


def is_loopback(address: str) -> bool:
    """Whether ``tcp://host:port`` is reached from this machine alone."""
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_revoked() -> RecamError:
    """The error for whoever is still there and no longer let in."""
    return RecamError(
        "key_revoked",
        "The server no longer lets this computer's key in.",
        "Ask its keeper; `recam keys allow` lists a key again.",
    )


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size
