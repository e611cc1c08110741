"""Something that is done to the local server and takes its time, a little at each tick.

Knows no timer and no Blender: the window's timer drives ``tick``, and so does a test, by hand.
"""

from __future__ import annotations

import re
import shutil
import threading
import traceback
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import RecamError
from .command import Command

TICK_SECONDS = 0.2
_PIP_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_PIP_DOWNLOAD = re.compile(r"\s*Downloading (\S+)")


class Cancelled(Exception):
    """Thrown into a task's steps when the artist calls it off."""


@dataclass(frozen=True)
class Stand:
    """How far a task is, in words. share: 0 to 1 of what the words tell of, or None."""

    words: str
    share: float | None = None


Steps = Generator[Stand, None, str]


class Task:
    """One undertaking.

    steps yield a Stand at each tick and return what to say at the end; when called off they get
    Cancelled thrown in, and tidy up. ``stand`` tells how far it is, ``error`` why it failed,
    ``log`` is the file with all that was said. quiet: its good end shows by itself.
    """

    def __init__(self, title: str, steps: Steps, log: Path, *, quiet: bool = False) -> None:
        self.title = title
        self.log = log
        self.quiet = quiet
        self.stand = Stand(title)
        self.error: RecamError | None = None
        self.running = True
        self._steps = steps
        self._cancel = False

    def tick(self) -> float | None:
        """Do a little; the seconds until the next tick, or None when there is nothing left."""
        try:
            if self._cancel:
                self._cancel = False
                self.stand = self._steps.throw(Cancelled())
            else:
                self.stand = next(self._steps)
            return TICK_SECONDS
        except StopIteration as done:
            self.stand = Stand(done.value)
        except Cancelled:
            self.stand = Stand("Cancelled")
        except RecamError as error:
            self.error = error
        except Exception as error:
            traceback.print_exc()  # to Blender's console; a timer would swallow it
            self.error = RecamError(
                "addon_fault",
                f"Recam's add-on made a mistake ({type(error).__name__}: {error}).",
                "The system console has the details; please report them.",
            )
        self.running = False
        return None

    def cancel(self) -> None:
        """Call it off; the next ticks bring it to its end."""
        self._cancel = True

    def abandon(self) -> None:
        """End it at once, as it is."""
        self._steps.close()
        self.running = False


def run(
    command: list[str], log: Path, words: str, *, anew: bool = False
) -> Generator[Stand, None, list[str]]:
    """Run a command and show how far it is; its lines of output.

    Raises RecamError ``command_failed`` with the last thing it said where it fails.
    """
    lines = []
    with closing(follow(command, log, anew=anew)) as steps:  # ended, whatever is thrown in here
        for said, code in steps:
            lines += said
            if code:
                raise failed(words, lines, log)
            yield _stand(words, lines)
    return lines


def follow(
    command: list[str], log: Path, *, anew: bool = False
) -> Generator[tuple[list[str], int | None], None, None]:
    """Run a command: at each step the lines that came, and its exit status, None before its end.

    Raises RecamError ``command_missing`` where it cannot be started.
    """
    try:
        running = Command(command, log, anew=anew)
    except OSError as error:
        raise RecamError(
            "command_missing",
            f"{command[0]} cannot be run ({error.strerror}).",
            "Install the local server again in the add-on's preferences.",
        ) from None
    try:
        while (code := running.code) is None:
            yield running.read(), None
        yield running.read(), code
    finally:
        running.close()


def delete(folder: Path, words: str) -> Generator[Stand, None, None]:
    """Delete a folder with all that is in it; a thread does it, it can take a while."""
    faults: list[OSError] = []

    def work() -> None:
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            faults.append(error)

    thread = threading.Thread(target=work, name="recam-delete")
    thread.start()
    while thread.is_alive():
        yield Stand(words)
    if faults:
        raise RecamError(
            "folder_busy",
            f"{folder} could not be deleted ({faults[0].strerror}).",
            "Stop the server and close what has files open there, then try again.",
        )


def failed(words: str, lines: list[str], log: Path) -> RecamError:
    """What a command's failure is called, after the last error that it printed."""
    errors = [line for line in lines if re.match(r"(ERROR|error|recam): ?", line)] or lines[-1:]
    said = re.sub(r"^(ERROR|error|recam): ?", "", errors[0]) if errors else "it said nothing."
    offline = any("NewConnectionError" in line or "NameResolution" in line for line in lines)
    hint = "Is this machine on the internet, and does it need a proxy? " if offline else ""
    return RecamError(
        "command_failed", f"{words} failed: {said}", f"{hint}The log has the rest: {log}"
    )


def _stand(words: str, lines: list[str]) -> Stand:
    """How far pip is with the file that it fetches, where it tells."""
    for line in reversed(lines[-40:]):
        if progress := _PIP_PROGRESS.search(line):
            done, total = map(int, progress.groups())
            name = next((m[1] for each in reversed(lines) if (m := _PIP_DOWNLOAD.match(each))), "")
            name = name.rpartition("/")[2].split("-")[0]
            if not total:  # the index does not say
                return Stand(f"{words}: {name}, {done / 1e6:.0f} MB")
            return Stand(f"{words}: {name}, {done / 1e6:.0f} of {total / 1e6:.0f} MB", done / total)
        if not line.startswith(" "):
            break
    return Stand(words)
