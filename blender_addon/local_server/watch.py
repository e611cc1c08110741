"""Whether a server answers, looked at now and then while somebody wants to know.

Knows no timer and no Blender: the window's timer drives ``tick``, and so does a test, by hand.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic

from ..shared.client.client import Client
from ..shared.errors import RecamError

LOOK_SECONDS = 3.0  # between two looks
ANSWER_SECONDS = 2.0  # for the answer to one
QUITTING_SECONDS = 1.0  # for one that Blender waits for as it quits
TICK_SECONDS = 0.2
FORGOTTEN_SECONDS = 10.0  # nobody has asked for this long: no more looks
QUESTIONS = ("server.info", "job.list")


@dataclass(frozen=True)
class Seen:
    """What a look found. error: why nothing is known; then the rest is empty.

    engines: what the server says of each (name, can_run, reason). jobs: how many of this
    user's have not ended. trouble: what ails the server, in a sentence, or empty.
    """

    address: str
    server: str = ""
    engines: tuple[dict, ...] = ()
    jobs: int = 0
    trouble: str = ""
    error: RecamError | None = None


class Watch:
    """Looks at one server; ``seen`` is the latest that was found, None before the first."""

    def __init__(self) -> None:
        self.seen: Seen | None = None
        self._wanted = 0.0
        self._where: tuple[str, str] = ("", "")
        self._client: Client | None = None
        self._asked: tuple[Future, Future] | None = None
        self._looked = 0.0

    def want(self, address: str, key: str = "") -> None:
        """Somebody shows what is seen at ``address``; key: the server's public one."""
        self._wanted = monotonic()
        if self._where != (address, key):
            self.close(0)
            self._where = (address, key)

    def again(self) -> None:
        """Look as soon as possible: something has happened."""
        self._looked = 0.0

    def tick(self) -> float | None:
        """Do a little; the seconds until the next tick, None once nobody wants to know."""
        if monotonic() - self._wanted > FORGOTTEN_SECONDS:
            self.close(0)
            return None
        if self._asked is not None:
            if all(future.done() for future in self._asked):
                self.seen = self._answer(*self._asked)
                self._asked = None
        elif self.seen is None or monotonic() - self._looked > LOOK_SECONDS:
            self._looked = monotonic()
            self._ask()
        return TICK_SECONDS

    def close(self, seconds: float = 5.0) -> None:
        """Let go of the server, waiting so long at most; what was seen is forgotten."""
        if self._client is not None:
            self._client.close(seconds)
        self._client = self._asked = self.seen = None

    def _ask(self) -> None:
        address, key = self._where
        try:
            if self._client is None:
                self._client = Client(address, key or None)
        except RecamError as error:
            self.seen = Seen(address, error=error)
            return
        self._asked = tuple(self._client.ask(kind, {}, ANSWER_SECONDS) for kind in QUESTIONS)

    def _answer(self, about: Future, jobs: Future) -> Seen:
        try:
            return seen(self._where[0], about.result(), jobs.result())
        except RecamError as error:
            return Seen(self._where[0], error=error)


def seen(address: str, about: dict, listed: dict) -> Seen:
    """A look's result from the server's own answers to ``QUESTIONS``.

    Raises RecamError ``bad_message`` where they lack what belongs in them.
    """
    try:
        stages = [job["stage"] for job in listed["jobs"]]
        waiting = sum(stage not in ("finished", "failed", "cancelled") for stage in stages)
        engines = tuple(
            {"name": str(e["name"]), "can_run": bool(e["can_run"]), "reason": str(e["reason"])}
            for e in about["engines"]
        )
        return Seen(address, str(about["server"]), engines, waiting, about.get("trouble") or "")
    except (KeyError, TypeError, AttributeError):
        raise RecamError(
            "bad_message",
            f"What answers at {address} does not answer as a Recam server does.",
            "Update the server and the add-on to the same version.",
        ) from None


def look(address: str, key: str = "") -> Seen:
    """Look once, and wait for it, ``QUITTING_SECONDS`` or twice that where it begins to answer."""
    try:
        client = Client(address, key or None)
    except RecamError as error:
        return Seen(address, error=error)
    try:
        asked = [client.ask(kind, {}, QUITTING_SECONDS) for kind in QUESTIONS]
        return seen(address, *(future.result() for future in asked))
    except RecamError as error:
        return Seen(address, error=error)
    finally:
        client.close(QUITTING_SECONDS)
