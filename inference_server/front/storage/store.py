"""The files of a state folder: clips by owner and content hash, uploads under way, results."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import threading
import time
from pathlib import Path
from typing import BinaryIO

from shared.durable import flush_folder
from shared.errors import RecamError
from shared.takes import take_path

TAKE = "take.mp4"  # the first one of a result
MOST_SENDERS = 16  # of an upload that are remembered
FLUSH_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 4 * 1024 * 1024  # of what is read at a time


class Store:
    """Clips, uploads and results below one folder. No name in it comes from the wire.

    clips/OWNER/SHA256, uploads/OWNER/UPLOAD, results/OWNER/JOB/take.mp4, take-2.mp4 …, where
    OWNER is a hash of the client's public key, and SHA256, UPLOAD and JOB are checked hexadecimal.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def clip(self, owner: str, digest: str) -> Path:
        """Where this owner's clip of that SHA-256 lies, or would lie."""
        return self.folder / "clips" / owner_name(owner) / digest

    def upload(self, owner: str, upload: str) -> Path:
        """Where a clip that is being sent lies."""
        return self.folder / "uploads" / owner_name(owner) / upload

    def result_folder(self, owner: str, job: str) -> Path:
        """Where a job's result lies, whole or not at all."""
        return self.folder / "results" / owner_name(owner) / job

    def result(self, owner: str, job: str, take: int) -> Path:
        """One take of a job's result, counted from 0."""
        return take_path(self.result_folder(owner, job) / TAKE, take)

    def work_folder(self, attempt: str) -> Path:
        """Where a worker writes what may not become a result."""
        return self.folder / "work" / attempt

    def draft(self, attempt: str) -> Path:
        """Where a worker writes the first take."""
        return self.work_folder(attempt) / TAKE

    def clear(self) -> None:
        """Remove what an ended server's workers left half done."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)


class Incoming:
    """A clip that is being sent: appended chunk by chunk, each verified before it is kept."""

    def __init__(self, file: Path, size: int) -> None:
        """Open a new upload, or one that broke off: ``read_on`` until all is read comes first."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.size = size
        self.touched = time.monotonic()  # when a client last sent something of it
        self._senders: dict[bytes, float] = {}  # and which connection when
        self._file = file
        self._flushing: threading.Thread | None = None
        self._unflushed: OSError | None = None
        self.lock = asyncio.Lock()  # held by whoever has a thread at work on the file
        self._digest = hashlib.sha256()
        self._out: BinaryIO = file.open("a+b", buffering=0)
        self._out.seek(0)
        self.offset = 0

    def touch(self, sender: bytes) -> None:
        """Something of it has come over that connection."""
        self._senders.pop(sender, None)
        self.touched = self._senders[sender] = time.monotonic()
        if len(self._senders) > MOST_SENDERS:
            del self._senders[next(iter(self._senders))]

    def is_sent_by_others(self, sender: bytes, seconds: float) -> bool:
        """Whether another connection has sent something of it so lately."""
        since = time.monotonic() - seconds
        return any(when > since for each, when in self._senders.items() if each != sender)

    def read_on(self) -> bool:
        """Read a piece of what is there already, to go on with its hash; whether there is more.

        In pieces, since whatever else wants the disk waits for no longer than one takes.
        """
        piece = self._out.read(PIECE_BYTES)
        self._digest.update(piece)
        self.offset += len(piece)
        if self.offset > self.size:
            self._begin_again()
        return self.offset > 0 and bool(piece)

    def _begin_again(self) -> None:
        self._out.truncate(0)
        self._digest, self.offset = hashlib.sha256(), 0

    def append(self, offset: int, digest: str, data: bytes | memoryview) -> None:
        """Keep a chunk, or RecamError ``upload_chunk`` if it is not the one that must come now.

        digest: SHA-256 of the upload up to the chunk's end. One hash vouches so for the chunk,
        for what lies there from before a broken connection, and in the end for the whole. Where
        it does not fit, nothing that lies there is worth keeping: ``upload_damaged``.
        """
        if self._out.closed:
            raise upload_closed()
        if len(data) and offset + len(data) <= self.offset:
            return  # sent twice: across a broken connection, or by two clients with one file
        if offset != self.offset or not len(data) or self.offset + len(data) > self.size:
            raise RecamError(
                "upload_chunk",
                f"A chunk of {len(data)} bytes came for offset {offset}; the upload stands at "
                f"{self.offset} of {self.size}.",
                "Begin again with blob.put; it tells where to go on.",
            )
        grown = self._digest.copy()
        grown.update(data)
        if grown.hexdigest() != digest:
            self._begin_again()
            raise RecamError(
                "upload_damaged",
                "A chunk of the clip is not what was announced.",
                "Was the file written to while it was being sent? Send it again.",
            )
        try:
            if self._out.write(data) != len(data):
                raise OSError(errno.ENOSPC, "the disk took a part")
        except OSError as error:
            self._out.truncate(self.offset)
            raise disk_error(error) from None
        self._digest = grown
        self.offset += len(data)
        if self.offset // FLUSH_BYTES != (self.offset - len(data)) // FLUSH_BYTES:
            self._flush_beside()

    def _flush_beside(self) -> None:
        """A little now and then, so that the end of a long upload need not wait for the disk."""

        def flush() -> None:
            try:
                os.fsync(self._out.fileno())
            except OSError as error:
                self._unflushed = error  # the system tells of it only once

        if self._flushing is None or not self._flushing.is_alive():
            self._flushing = threading.Thread(target=flush, name="recam-flush")
            self._flushing.start()

    def _flushed(self) -> None:
        if self._flushing is not None:
            self._flushing.join()

    def finish(self, digest: str, clip: Path) -> None:
        """Make it a clip of the store: verified, flushed, renamed. May take seconds.

        Raises RecamError ``upload_damaged`` if the content is not what was announced, and
        ``server_disk``: it may be taken up again then, and finished.
        """
        self._flushed()
        try:
            os.fsync(self._out.fileno())
        except OSError as error:
            raise disk_error(error) from None
        if self._unflushed:
            raise disk_error(self._unflushed)
        self._out.close()
        if self.offset != self.size or self._digest.hexdigest() != digest:
            self._file.unlink(missing_ok=True)
            raise RecamError(
                "upload_damaged",
                "The clip that arrived is not the one that was announced.",
                "Was the file written to while it was being sent? Send it again.",
            )
        try:
            keep(self._file, clip)
        except OSError as error:
            raise disk_error(error) from None

    def close(self) -> None:
        """Let go of the file; what has arrived stays, to be taken up again."""
        self._flushed()
        self._out.close()


def read_chunk(file: Path, offset: int, into: bytearray) -> memoryview:
    """A chunk of a file from ``offset`` on, as much as ``into`` takes. Raises OSError."""
    with file.open("rb", buffering=0) as whole:
        whole.seek(offset)
        return memoryview(into)[: whole.readinto(into)]


def upload_closed() -> RecamError:
    """The error for what comes to an upload that is not open (any more)."""
    return RecamError("upload_chunk", "That upload is not open.", "Begin (again) with blob.put.")


def keep(draft: Path, final: Path) -> None:
    """Rename a flushed file or folder to its final name in the store, durably. Raises OSError."""
    final.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(final)
    flush_names(final)


def flush_names(final: Path) -> None:
    """Bring the name of what is kept, and its folders', which may be new, to the disk. OSError."""
    for folder in final.parents[:3]:  # the owner's, that of its kind, the state folder
        flush_folder(folder)


def disk_error(error: OSError) -> RecamError:
    """The error for a disk that takes nothing more, or cannot be used now."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecamError(
            "server_disk",
            "The server's disk is full.",
            "Make room in the server's state folder, and try again.",
        )
    return RecamError(
        "server_disk",
        f"The server cannot read or write its state folder ({error.strerror}).",
        "Ask its keeper to look after that folder's disk, and try again.",
    )


def owner_name(public_key: str) -> str:
    """What an owner's folders are called."""
    # Z85 holds characters that no file system likes, and differs only in case.
    return hashlib.sha256(public_key.encode()).hexdigest()[:32]
