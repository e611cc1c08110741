"""Who is refused because there is no room, in the log: its keeper may make some."""

from __future__ import annotations

import logging
from collections import defaultdict

from shared.errors import RecamError

from ...observing.allowance import Allowance
from ...observing.logs import event
from ..journal.job_events import short_owner

log = logging.getLogger(__name__)

FULL = ("client_limit", "server_full", "clip_size")
A_MINUTE = 1  # records of one client: it asks again and again until there is room


class Full:
    """Tells of refusals, of each client by itself."""

    def __init__(self) -> None:
        self._allowances: defaultdict[str, Allowance] = defaultdict(lambda: Allowance(A_MINUTE))

    def told(self, error: RecamError, owner: str) -> None:
        """Log that this client, which is let in, was told so; other errors are not logged here."""
        if error.code in FULL and self._allowances[owner].take() is not None:
            owner = short_owner(owner)
            event(log, "a client is refused for want of room", code=error.code, owner=owner)
