"""Everything that the front keeps within bounds, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

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
