"""What the front is told of an order that failed, and of what the artist called its files."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

from shared.errors import RecamError
from shared.protocol.kinds import printable


def error_of(error: Exception, order: dict) -> RecamError:
    """The error for the artist, who knows neither the store's names nor tracebacks."""
    if isinstance(error, RecamError):
        return RecamError(error.code, as_named(error.sentence, order), error.hint)
    if ran_out_of_memory(error):
        return RecamError(
            "out_of_memory",
            f"The server ran out of memory on the clip {order['name']!r}.",
            "Send a smaller picture or a shorter clip.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecamError(
            "result_unwritable",
            f"The server's disk is full: the take of {order['name']!r} could not be written.",
            "Make room on the server's disk, and send the job again.",
        )
    return RecamError(
        "engine_fault",
        f"The engine {order['engine']} made a mistake on the clip {order['name']!r}.",
        "The server's log has the details.",
    )


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether the machine or a device had none left, as the libraries in use have their say."""
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    if isinstance(error, MemoryError):
        return True
    if torch and isinstance(error, torch.OutOfMemoryError):
        return True
    if cv2 and isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem
    words = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def as_named(sentence: str, order: dict) -> str:
    """The sentence with the files called as their artist does: the store knows only hashes.

    Libraries quote what files hold: what would steer a terminal is left out.
    """
    sentence = printable(sentence)
    for number, clip in enumerate(order["clips"], 1):
        called = order["name"] if len(order["clips"]) == 1 else f"{order['name']}, part {number}"
        sentence = sentence.replace(clip, called).replace(Path(clip).name, called)
    for file, called in (("depth", "The depth file"), ("start", "The video to start from")):
        if order[file]:
            name = Path(order[file]).name
            sentence = sentence.replace(order[file], called).replace(name, called)
    out = Path(order["out"])
    sentence = sentence.replace(f"{out.parent}{os.sep}", "")
    return re.sub(rf"{re.escape(out.stem)}(-\d+)?{re.escape(out.suffix)}", "The result", sentence)
