"""In which words a client is told that it does not get in, or that nobody answers as one must."""

from __future__ import annotations

from ..errors import RecamError
from ..folders import config_folder


def unreachable(address: str, seconds: float) -> RecamError:
    """Nobody has answered for so long."""
    return RecamError(
        "server_unreachable",
        f"No Recam server has answered at {address} for {seconds:.0f} seconds.",
        "Start one with `recam serve`, or correct the address.",
    )


def key_refused(address: str) -> RecamError:
    """The server does not list the client's key."""
    return RecamError(
        "key_refused",
        f"The server at {address} does not let this computer's key in.",
        f"Give the server's keeper your {config_folder() / 'client.pub'}; `recam keys allow` lists "
        "it there.",
    )


def key_revoked(address: str) -> RecamError:
    """The server does not list the client's key any more."""
    return RecamError(
        "key_revoked",
        f"The server at {address} no longer lets this computer's key in.",
        "Ask its keeper; `recam keys allow` lists a key again. What it had not finished of your "
        "jobs is cancelled: send that again.",
    )


def other_server(address: str) -> RecamError:
    """What answers cannot prove to be the server whose key is known."""
    return RecamError(
        "server_key",
        f"What answers at {address} does not hold the server key that is known here, or is no "
        "Recam server.",
        "Check the address and the server's public key (its server.pub; at a command line by "
        "--server-key). Where none is given, that of your own server is taken.",
    )


def odd_answer(address: str) -> RecamError:
    """An answer is not as docs/protocol.md says."""
    return RecamError(
        "bad_message",
        f"What answers at {address} does not answer as a Recam server does.",
        "Install the same version of Recam on both sides.",
    )


def client_fault(job: str, error: Exception) -> RecamError:
    """What went wrong is our own doing."""
    return RecamError(
        "client_fault",
        f"Recam made a mistake while it followed the job {job} ({error}).",
        f"The server may have finished it: try `recam fetch {job} -o FILE`.",
    )


def let_go(job: str, submitted: bool) -> RecamError:
    """The error for a job that is followed no more, its client being closed.

    submitted: whether the server may have it.
    """
    return RecamError(
        "client_closed",
        f"The job {job} is not followed any more.",
        f"The server may go on with it: `recam fetch {job} -o FILE` brings what it makes."
        if submitted
        else "It had not been sent yet: send it again, which goes on where it stopped.",
    )
