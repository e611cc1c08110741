"""CURVE key pairs, made on first use, in the user's own config folder.

``server.key`` and ``client.key`` hold secrets and are readable by their owner alone;
``server.pub`` and ``client.pub`` may be handed out. Each file is one line: 40 characters of Z85.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85

from ..errors import RecamError
from ..folders import config_folder

log = logging.getLogger(__name__)

_Z85 = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair, each half 40 bytes of Z85."""

    public: bytes
    secret: bytes = b""

    def __repr__(self) -> str:
        return f"KeyPair({self.public.decode()})"  # the secret must not reach a log


def server_keys(folder: Path | None = None) -> KeyPair:
    """The key pair of this user's server; made if there is none."""
    return _key_pair(folder or config_folder(), "server")


def client_keys(folder: Path | None = None) -> KeyPair:
    """The key pair of this user; made if there is none."""
    return _key_pair(folder or config_folder(), "client")


def check_public_key(text: str | bytes) -> bytes:
    """A public key as 40 bytes of Z85, or RecamError ``key_format``."""
    key = text.strip().encode() if isinstance(text, str) else text.strip()
    if not _is_key(key):
        raise RecamError(
            "key_format",
            "That is not a public key of Recam (40 characters).",
            "Copy the whole line of the server's server.pub.",
        )
    return key


def known_clients(folder: Path | None = None) -> set[bytes]:
    """Public keys that this user's server lets in: their own, and ``clients/*.pub``.

    One of those that cannot be read goes into the log, and keeps nobody else out.
    """
    folder = folder or config_folder()
    known = {client_keys(folder).public}
    for file in sorted((folder / "clients").glob("*.pub")):
        try:
            known.add(_read(file))
        except RecamError as error:
            log.warning("a client is not let in: %s", error.sentence)
    return known


def _key_pair(folder: Path, name: str) -> KeyPair:
    secret_file, public_file = folder / f"{name}.key", folder / f"{name}.pub"
    if not secret_file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_once(secret_file, zmq.curve_keypair()[1], 0o600)
    secret = _read(secret_file)
    public = zmq.curve_public(secret)
    if not public_file.exists():
        _write_once(public_file, public, 0o644)
    return KeyPair(public, secret)


def _write_once(file: Path, key: bytes, mode: int) -> None:
    """Create the file whole, or leave the one that another process made first."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(key + b"\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        if os.name == "nt":
            draft.rename(file)  # fails there if the name is taken
        else:
            os.link(draft, file)  # fails if the name is taken; rename would replace it
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _is_key(key: bytes) -> bool:
    try:
        return bool(_Z85.fullmatch(key)) and len(z85.decode(key)) == 32
    except struct.error:  # five characters that stand for more than 32 bits
        return False


def _read(file: Path) -> bytes:
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise RecamError(
            "key_unreadable",
            f"Recam's key {file} cannot be read ({error.strerror}).",
            "Make it readable for yourself.",
        ) from None
    if not _is_key(key):
        raise RecamError(
            "key_format",
            f"Recam's key {file} is damaged: it is not one line of 40 characters.",
            "Delete it together with its other half (.key and .pub); both are made anew.",
        )
    return key
