"""What a server has counted since it started: jobs, workers, messages, bytes."""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections import Counter, defaultdict

# Upper bounds of a job's seconds: a preview takes some, a long take of the model hours.
SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)


class Counts(logging.Handler):
    """Counts what is logged of jobs and workers, and what the front says of messages.

    ended: jobs by stage. failed: jobs by error code. seconds: for each engine, how many jobs took
    up to each of ``SECONDS``, and in the end how many took longer; their sum beside it.
    starts: worker processes by lane. requests, errors: by type and by code.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.began = time.time()
        self.accepted = self.queued_again = 0
        self.ended: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.seconds: dict[str, list[int]] = defaultdict(lambda: [0] * (len(SECONDS) + 1))
        self.seconds_sum: Counter[str] = Counter()
        self.starts: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.bytes_received = self.bytes_sent = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Called under this handler's lock."""
        fields = getattr(record, "fields", {})
        if record.msg == "job accepted":
            self.accepted += 1
        elif record.msg == "job queued again":
            self.queued_again += 1
        elif record.msg == "worker started":
            self.starts[fields["lane"]] += 1
        elif record.msg in ("job finished", "job failed", "job cancelled"):
            self.ended[record.msg.removeprefix("job ")] += 1
            if record.msg == "job failed":
                self.failed[fields["code"]] += 1
            elif record.msg == "job finished":
                engine, took = fields["engine"], fields["seconds"]
                self.seconds[engine][bisect_left(SECONDS, took)] += 1
                self.seconds_sum[engine] += took

    def answered(self, kind: str, received: int, sent: int, code: str | None) -> None:
        """A message of that type was answered. received, sent: bytes; code: of an error."""
        self.requests[kind] += 1
        self.bytes_received += received
        self.bytes_sent += sent
        if code:
            self.errors[code] += 1

    def restarts(self, lane: str) -> int:
        """How often a lane's worker took another one's place."""
        return max(0, self.starts[lane] - 1)
