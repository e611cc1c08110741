"""A job's shot on its way: with the request, or as a file before it."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from ..errors import RecamError
from ..protocol.limits import DATA_BYTES
from ..protocol.request import JobRequest

Upload = Callable[[Path], Awaitable[str]]  # sends a file; its SHA-256


async def with_shot(request: JobRequest, upload: Upload) -> tuple[dict, bytes]:
    """Body and data of ``job.submit``; a shot too long for a message is on the server by then.

    Raises RecamError as ``shot_data`` does, ``client_disk`` where the shot cannot be written to a
    file here, and what ``upload`` raises.
    """
    body, data = request.to_body(), request.shot_data()
    if len(data) <= DATA_BYTES:
        return body, data
    try:
        with tempfile.TemporaryDirectory(prefix="recam-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "shot"
            file.write_bytes(data)
            return body | {"shot": await upload(file)}, b""
    except OSError as error:
        raise RecamError(
            "client_disk",
            f"The shot cannot be put into a file to be sent ({error.strerror}).",
            "Make room in this machine's folder for temporary files.",
        ) from None
