"""What lies in a state folder: found, counted, thrown away."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.protocol.kinds import is_hexadecimal

log = logging.getLogger(__name__)

DIGITS = {"clips": 64, "uploads": 32, "results": 32}  # of the names of each kind
OWNER_DIGITS = 32
DELIVERED = "delivered"  # lies in a result's folder once its client has it
AWAY = "removed"  # where things lie while they are being removed

Age = Callable[[float], float]  # of a time stamp: days


@dataclass(frozen=True, slots=True)
class Kept:
    """A clip, an upload or a result. Small: there may be a hundred thousand.

    state: the state folder. kind: ``clips``, ``uploads``, ``results``. owner: as folders are named.
    used: when it was last of use, in seconds since 1970; age: that in days. delivered: of a result,
    whether its client has it. files: how many it is made of.
    """

    state: Path
    kind: str
    owner: str
    name: str
    bytes: int
    used: float
    age: float
    delivered: bool = False
    files: int = 1

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.state / self.kind / self.owner / self.name

    def is_used_again(self) -> bool:
        """Whether it has been used, or has gone, since it was found."""
        try:
            return self.path.lstat().st_mtime != self.used
        except OSError:
            return True


def scan(folder: Path, age: Age) -> list[Kept]:
    """All that is kept below a state folder. age: see ``Days``. Takes a moment: for a thread.

    What does not look as the server names it, or is not what it would be, is not the server's: it
    is neither counted nor ever removed.
    """
    return list(_scan(folder, age))


def _scan(folder: Path, age: Age) -> Iterator[Kept]:
    for kind, digits in DIGITS.items():
        for owner in _named(folder / kind, OWNER_DIGITS):
            name = owner.name
            for entry in _named(owner.path, digits):
                try:
                    kept = _look(folder, kind, name, entry, age)
                except OSError as error:  # gone meanwhile, or not to be read
                    log.info("%s is passed over: %s", entry.path, error.strerror)
                    continue
                if kept:
                    yield kept


def _named(folder: Path | str, digits: int) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if is_hexadecimal(entry.name, digits)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        log.warning("%s cannot be looked through: %s", folder, error.strerror)
        return []


def _look(state: Path, kind: str, owner: str, entry: os.DirEntry, age: Age) -> Kept | None:
    about = entry.stat(follow_symlinks=False)
    used = about.st_mtime
    if kind != "results":
        if not stat.S_ISREG(about.st_mode):
            return None
        return Kept(state, kind, owner, entry.name, about.st_size, used, age(used))
    if not stat.S_ISDIR(about.st_mode):
        return None
    with os.scandir(entry.path) as files:
        sizes = {file.name: file.stat(follow_symlinks=False).st_size for file in files}
    size = sum(sizes.values())
    return Kept(
        state, kind, owner, entry.name, size, used, age(used), DELIVERED in sizes, len(sizes)
    )


def set_aside(folder: Path, path: Path) -> bool:
    """Take a thing of the state ``folder`` out of use, at once; ``sweep`` removes it.

    False, and a word in the log, where the system does not let go of it.
    """
    away = folder / AWAY / "-".join(path.relative_to(folder).parts)
    try:
        away.parent.mkdir(exist_ok=True)
        if away.is_dir():  # left over from a result of the same name
            shutil.rmtree(away, ignore_errors=True)
        os.replace(path, away)
    except FileNotFoundError:
        return True
    except OSError as error:
        log.warning("%s cannot be removed: %s", path, error.strerror)
        return False
    return True


def sweep(folder: Path) -> None:
    """Remove what was set aside: unlinked, not overwritten. May take seconds: for a thread."""
    for path in [*(folder / AWAY).glob("*")]:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            continue  # another sweep was faster
        except OSError as error:
            log.warning("%s cannot be removed: %s", path, error.strerror)


def use(path: Path) -> None:
    """Note that a clip or a result was of use now."""
    try:
        os.utime(path)
    except OSError as error:
        log.info("%s: %s", path, error.strerror)
