"""Everything that the front keeps within bounds, and its sentences where one is reached."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from shared.errors import RecamError
from shared.protocol.limits import CHUNK_BYTES, CREDIT, SHOT_BYTES

GB = 10**9


@dataclass(frozen=True)
class Limits:
    """How much there may be of what. Per client is per client key.

    waiting, waiting_per_client: jobs that wait or are worked on. A client's share is days of work
        for one GPU; what is beyond it has been sent by mistake or by a program.
    shots_per_client: bytes of the shots of these jobs, which lie in the journal.
    ended_per_client: jobs that are over and have no result (any more) which the journal keeps, the
        newest ones.
    uploads, uploads_per_client: clips that are being sent at once; each holds a file open.
    uploading: bytes of them that may be on their way here, a MiB of each at the most: what the
        network's buffers in this process hold.
    bytes, bytes_per_client: of clips, uploads and results together; None: as ``space`` has it.
    files, files_per_client: of these, too: each takes some of the disk's and the front's room
        however small it is. Twenty jobs of a thousand parts fit in.
    unanswered: requests of one connection without an answer so far: many more than a client's
        credit and its questions, few enough that one which asks and never reads costs little.
    unsent, unsent_per_client: bytes of answers that wait for the network. One client may have its
        whole window; beyond a quarter of ``unsent`` in all, each has one chunk at a time.
    at_work: bytes of messages that are worked on before the next one is taken in.
    upload_days: since the last chunk. clip_days, result_days: since the last use: sent, named by
        a job, fetched. job_days: since the job's end; its line in the journal goes together with
        its result, if that is still there.
    """

    waiting: int = 5_000
    waiting_per_client: int = 200
    shots_per_client: int = 16 * SHOT_BYTES
    ended_per_client: int = 2_000
    uploads: int = 256
    uploads_per_client: int = 8
    uploading: int = 64 * 2 * CHUNK_BYTES
    bytes: int | None = None
    bytes_per_client: int | None = None
    files: int = 100_000
    files_per_client: int = 20_000
    unanswered: int = 64
    unsent: int = 40 * CHUNK_BYTES
    unsent_per_client: int = CREDIT * CHUNK_BYTES
    at_work: int = 32 * CHUNK_BYTES
    upload_days: float = 1
    clip_days: float = 14
    result_days: float = 30
    job_days: float = 90


@dataclass(frozen=True)
class Space:
    """Bytes that clips, uploads and results may take: in all, of one client, and until the disk
    would have less left than the machine needs."""

    all: int
    per_client: int
    free: int


def space(limits: Limits, folder: Path) -> Space:
    """What there is on the disk of ``folder``.

    In all a quarter of the disk, of one client half of that, and 5 GB are left free, or a
    twentieth of a disk that is smaller than 100 GB.
    """
    disk = shutil.disk_usage(folder)
    most = disk.total // 4 if limits.bytes is None else limits.bytes
    own = most // 2 if limits.bytes_per_client is None else limits.bytes_per_client
    return Space(most, own, max(0, disk.free - _left_free(disk.total)))


def _left_free(total: int) -> int:
    return min(5 * GB, total // 20)


def render_floor(total: int) -> int:
    """Bytes that a disk of ``total`` must have free for a job to be handed to a worker: 1 GB, or a
    hundredth of a disk that is smaller than 100 GB.

    A take of ten minutes has about a gigabyte, and the journal must find room beside it. A fifth of
    what uploads leave free: so these alone never keep jobs from being rendered.
    """
    return _left_free(total) // 5


def client_limit(sentence: str, hint: str) -> RecamError:
    """The error where one client has as much of something as it may."""
    return RecamError("client_limit", sentence, hint)


def server_full(sentence: str, hint: str) -> RecamError:
    """The error where the server has as much of something as it may."""
    return RecamError("server_full", sentence, hint)


def check_waiting(limits: Limits, own: int, every: int) -> None:
    """RecamError ``client_limit`` or ``server_full`` unless one more job may wait.

    own, every: the jobs of this client's, and in all, that wait or are worked on.
    """
    if own >= limits.waiting_per_client:
        raise client_limit(
            f"{own} of your jobs wait on the server; that is the most.",
            "Send more once some have ended, or cancel some.",
        )
    if every >= limits.waiting:
        raise server_full(
            f"{every} jobs wait on the server; that is the most.",
            "Send more once some have ended.",
        )


def check_shots(limits: Limits, own: int, more: int) -> None:
    """RecamError ``client_limit`` unless this client's shots may be ``more`` bytes than ``own``."""
    if own + more > limits.shots_per_client:
        raise client_limit(
            f"The cameras of your jobs that wait on the server have {size(own)}; with "
            f"{size(more)} more they would be over {size(limits.shots_per_client)}.",
            "Send more once some have ended, or cancel some.",
        )


def size(count: int) -> str:
    """A number of bytes in words: ``1.2 GB``, ``340 MB``, ``12 kB``."""
    for unit, name in ((GB, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return (
                f"{count / unit:.3g} {name}"
                if count < 1000 * unit
                else f"{count / unit:,.0f} {name}"
            )
    return f"{count} bytes"
