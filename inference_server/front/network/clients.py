"""The clients that a server lets in: ``clients/NAME.pub`` in its user's config folder."""

from __future__ import annotations

import logging
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from shared.durable import flush_folder
from shared.errors import RecamError
from shared.folders import config_folder
from shared.protocol.keys import client_keys, new_pair, read_key, write_once

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # in Windows


@dataclass(frozen=True)
class Listed:
    """A client in the folder. key: its public key, or None where the file is damaged.

    since: when it was listed, seconds since 1970.
    """

    name: str
    key: bytes | None
    since: float


def clients_folder() -> Path:
    """Where the public keys lie; it need not be there."""
    return config_folder() / "clients"


def listed() -> list[Listed]:
    """Every client in the folder, by name; the user's own key is let in without being there.

    Raises OSError where the folder cannot be looked through: nobody is off the list because of it.
    """
    folder = clients_folder()
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    files = [folder / name for name in names if name.endswith(".pub")]
    return [found for file in files if (found := _look(file))]


def allow(name: str, key: bytes) -> None:
    """List a public key. Raises RecamError ``client_name``, ``client_listed``."""
    check_name(name)
    if key == client_keys().public:
        raise RecamError("client_listed", "That is your own key; it is let in as it is.")
    for other in listed():
        if other.key == key:
            raise RecamError("client_listed", f"That key is listed already, as {other.name}.")
    folder = clients_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not write_once(folder / f"{name}.pub", key, 0o644):
        raise _taken(name)


def make(name: str, out: Path) -> None:
    """A new key pair: its secret half in ``out``, readable by its owner alone, its public listed.

    Raises RecamError ``client_name``, ``client_listed``, ``key_exists``, ``key_unwritable``.
    """
    check_name(name)
    pair = new_pair()
    try:
        made = write_once(out, pair.secret, 0o600)
    except OSError as error:
        raise RecamError(
            "key_unwritable",
            f"The key cannot be written to {out} ({error.strerror}).",
            "Choose another place with -o.",
        ) from None
    if not made:
        raise RecamError("key_exists", f"{out} exists already.", "Name another file with -o.")
    try:
        allow(name, pair.public)
    except BaseException:
        out.unlink()
        raise


def revoke(name_or_key: str) -> Listed:
    """Take a client off the list; RecamError ``client_unknown``, ``client_own``."""
    if name_or_key.encode() == client_keys().public:
        raise RecamError(
            "client_own",
            "That is your own key, which is always let in.",
            f"Where others have got hold of it, delete client.key and client.pub in "
            f"{config_folder()}: both are made anew.",
        )
    clients = listed()
    for client in clients:
        if name_or_key in (client.name, client.key and client.key.decode()):
            for each in clients:  # the same key may have been put there twice, by hand
                if each is client or (each.key and each.key == client.key):
                    (clients_folder() / f"{each.name}.pub").unlink(missing_ok=True)
            flush_folder(clients_folder())
            return client
    raise RecamError(
        "client_unknown", f"No client is listed as {name_or_key!r}.", "`recam keys` lists them."
    )


def close_to_others(folder: Path) -> None:
    """Whoever may write here may let in whom they like: mended, and said.

    Windows' config folder is its user's alone from the start.
    """
    if os.name == "nt" or not folder.is_dir() or not (mode := folder.stat().st_mode) & 0o022:
        return
    log.warning(
        "others could write to the folder %s, and so let in any key; now its owner alone can. "
        "`recam keys` lists who is let in.",
        folder,
    )
    try:
        folder.chmod(stat.S_IMODE(mode) & ~0o022)
    except OSError as error:
        raise RecamError(
            "keys_open",
            f"Others can write to the folder {folder}, and that cannot be changed "
            f"({error.strerror}).",
            "Make it writable for yourself alone, or give another with RECAM_CONFIG.",
        ) from None


def check_name(name: str) -> None:
    """RecamError ``client_name`` or ``client_listed`` unless a new client may be called so."""
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise RecamError(
            "client_name",
            f"{name!r} cannot be the name of a client.",
            "Use letters, digits, dots, dashes and underscores, and no name that Windows keeps "
            "for itself.",
        )
    if name.lower() in (other.name.lower() for other in listed()):  # as some disks see it
        raise _taken(name)


def _look(file: Path) -> Listed | None:
    try:
        since = file.stat().st_mtime
    except OSError:  # revoked at this moment
        return None
    try:
        return Listed(file.stem, read_key(file), since)
    except RecamError:
        return Listed(file.stem, None, since)


def _taken(name: str) -> RecamError:
    return RecamError(
        "client_listed",
        f"A client is listed as {name} already.",
        f"Take another name, or `recam keys revoke {name}` first.",
    )
