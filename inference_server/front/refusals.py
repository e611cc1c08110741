"""In which words a client is refused that has as much as it may, or as there is room for."""

from __future__ import annotations

from shared.errors import RecamError
from shared.words import size

from .limits import Limits


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
