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
import time
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


def new_pair() -> KeyPair:
    """A new key pair. No public key begins with "-": commands would take it for an option."""
    while True:
        public, secret = zmq.curve_keypair()
        if not public.startswith(b"-"):
            return KeyPair(public, secret)


def client_keys(folder: Path | None = None) -> KeyPair:
    """The key pair of this user; made if there is none."""
    return _key_pair(folder or config_folder(), "client")


def check_public_key(text: str | bytes) -> bytes:
    """A public key as 40 bytes of Z85, or RecamError ``key_format``."""
    key = text.strip().encode() if isinstance(text, str) else text.strip()
    if not is_key(key):
        raise RecamError(
            "key_format",
            "That is not a public key of Recam (40 characters).",
            "Copy the whole line of the .pub file.",
        )
    return key


def public_key_of(given: str, where: str = "") -> bytes:
    """A public key that was given as it is, or as a file that holds it.

    where: what it was given by, for the error. RecamError ``key_format``, ``key_secret`` or
    ``key_unreadable``.
    """
    if is_key(given.strip().encode()):
        return check_public_key(given)
    by = f"{where}: " if where else ""
    if not os.path.isfile(given):
        raise RecamError(
            "key_format",
            f"{by}{given!r} is neither a public key (40 characters) nor a file.",
            "Give the whole line in quotes, or a .pub file that holds it.",
        )
    if given.endswith(".key"):
        raise RecamError(
            "key_secret",
            f"{by}{given} is the secret half of a key, which stays where it was made.",
            "Ask for the .pub file beside it.",
        )
    return read_given_key(Path(given))


def use_key(file: Path, folder: Path | None = None) -> tuple[KeyPair, Path | None]:
    """Make the secret key in ``file`` this user's own: the new pair, and where the old one lies.

    Raises RecamError ``key_unreadable``, ``key_format`` or, for a public one, ``key_public``.
    """
    folder = folder or config_folder()
    secret, present = read_given_key(file), folder / "client.key"
    if file.suffix == ".pub" or secret in _public_ones(folder, file.parent):
        raise RecamError(
            "key_public",
            f"{file} is the public half of a key, with which nobody is let in.",
            "Use the file that `recam keys make` has written (NAME.key). A client.pub is for "
            "`recam keys allow`, where the server runs.",
        )
    kept = None
    if present.exists() and not _holds(present, secret):
        kept = present.with_name(f"client-until-{time.strftime('%Y%m%d-%H%M%S')}.key")
        while kept.exists():
            kept = kept.with_stem(f"{kept.stem}-")
        present.rename(kept)
    if not present.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_once(present, secret, 0o600)
    return client_keys(folder), kept


def read_key(file: Path) -> bytes:
    """A key of Recam's own files: one line. RecamError ``key_unreadable``, ``key_format``."""
    try:
        key = _line(file)
    except OSError as error:
        raise RecamError(
            "key_unreadable",
            f"Recam's key {file} cannot be read ({error.strerror}).",
            "Make it readable for yourself.",
        ) from None
    if not is_key(key):
        raise RecamError(
            "key_format",
            f"Recam's key {file} is damaged: it is not one line of 40 characters.",
            "Delete it together with its other half (.key and .pub); both are made anew.",
        )
    return key


def read_given_key(file: Path) -> bytes:
    """The key in a file that a person names. RecamError ``key_unreadable``, ``key_format``."""
    try:
        key = _line(file)
    except OSError as error:
        raise RecamError(
            "key_unreadable",
            f"{file} cannot be read ({error.strerror}).",
            "Say where the file lies that was handed over.",
        ) from None
    if not is_key(key):
        raise RecamError(
            "key_format",
            f"{file} is no key of Recam: that is one line of 40 characters.",
            "Name the file that was handed over; if this is it, ask for it anew.",
        )
    return key


def write_once(file: Path, key: bytes, mode: int) -> bool:
    """Create the file whole, or leave the one that is there; whether it was created."""
    draft = _draft(file, key, mode)
    try:
        if os.name == "nt":
            draft.rename(file)  # fails there if the name is taken
        else:
            os.link(draft, file)  # fails if the name is taken; rename would replace it
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def is_key(key: bytes) -> bool:
    """Whether it is 40 characters of Z85 that stand for 32 bytes."""
    try:
        return bool(_Z85.fullmatch(key)) and len(z85.decode(key)) == 32
    except struct.error:  # five characters that stand for more than 32 bits
        return False


def _key_pair(folder: Path, name: str) -> KeyPair:
    secret_file, public_file = folder / f"{name}.key", folder / f"{name}.pub"
    if not secret_file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_once(secret_file, new_pair().secret, 0o600)
    secret = read_key(secret_file)
    _keep_secret(secret_file)
    public = zmq.curve_public(secret)
    if not write_once(public_file, public, 0o644) and public_file.read_bytes().strip() != public:
        os.replace(_draft(public_file, public, 0o644), public_file)  # of a secret that was replaced
    return KeyPair(public, secret)


def _line(file: Path) -> bytes:
    with file.open("rb") as lines:
        return lines.read(100).strip()


def _holds(file: Path, key: bytes) -> bool:
    try:
        return read_key(file) == key
    except RecamError:  # damaged: kept beside all the same
        return False


def _public_ones(*folders: Path) -> set[bytes]:
    """What the .pub files there hold, and those of the clients that a server lets in."""
    files = [
        file for each in folders for file in (*each.glob("*.pub"), *each.glob("clients/*.pub"))
    ]
    return {file.read_bytes().strip() for file in files if file.is_file()}


def _keep_secret(file: Path) -> None:
    """Nobody else may read a secret; where somebody could, that is mended and said.

    Windows' config folder is its user's alone from the start.
    """
    if os.name == "nt" or not file.stat().st_mode & 0o077:
        return
    try:
        file.chmod(0o600)
    except OSError as error:
        raise RecamError(
            "key_open",
            f"Others can read Recam's secret key {file}, and that cannot be changed "
            f"({error.strerror}).",
            "Delete it together with its other half (.key and .pub); both are made anew.",
        ) from None
    log.warning(
        "others could read the secret key %s; now its owner alone can. Where others use this "
        "machine, delete it and its .pub: both are made anew.",
        file,
    )


def _draft(file: Path, key: bytes, mode: int) -> Path:
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(key + b"\n")
        out.flush()
        os.fsync(out.fileno())
    return draft
