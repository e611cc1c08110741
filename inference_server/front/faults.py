"""The errors of a job that its worker, or the server itself, let down."""

from __future__ import annotations

from shared.errors import RecamError


def server_fault() -> RecamError:
    """The error for a mistake of the server's own."""
    return RecamError("server_fault", "The server made a mistake.", "Its log has the details.")


def worker_let_down(why: str, attempts: int) -> RecamError:
    """The error of a job whose worker has ended so often while it rendered it.

    why: ``hung``, ``killed`` by the system, or ``died``, as ``Outcome`` has it for the last time.
    """
    if why == "hung":
        return RecamError(
            "worker_hung",
            f"The server's worker stopped saying how far it was while it rendered this job; it "
            f"was ended, and the job tried {attempts} times.",
            "The clip may be damaged, or the device stuck; the server's log tells where it hung.",
        )
    if why == "killed":
        return RecamError(
            "worker_died",
            f"The system ended the server's worker {attempts} times while it rendered this job, "
            "most likely because the machine's memory ran out.",
            "Send a smaller picture or a shorter clip, or close what else needs memory there.",
        )
    return RecamError(
        "worker_died",
        f"The server's worker ended {attempts} times while it rendered this job.",
        "The clip may be damaged or too large for this machine; see the server's log.",
    )


def front_died(times: int) -> RecamError:
    """The error of a job that was at work each time when the server itself ended."""
    return RecamError(
        "worker_died",
        f"The server itself ended {times} times in a row while it rendered this job.",
        "If the machine's memory ran out, send a smaller picture or a shorter clip; if the server "
        "was ended by hand, send the job again.",
    )
