"""How a worker makes sure that it does not outlive its front."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys

GRACE_SECONDS = 5.0  # from the end of the front's pipe: for what the worker does to end in order

_PR_SET_PDEATHSIG = 1


def with_front(front: int) -> None:
    """Called first thing. front: the process id of the front.

    Linux ends this process at once when the front has died, whatever it does at that moment.
    Elsewhere the end of the front's pipe does, see ``soon``.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != front:  # it died before this
            os._exit(1)
    if sys.platform != "win32":
        # The front ends who says nothing any more, and asks first where that is.
        faulthandler.register(signal.SIGUSR1)


def soon() -> None:
    """The front's pipe has ended: so does this process, in order or after the grace.

    By a thread that does not need Python: nor does what may never return from a library.
    """
    faulthandler.dump_traceback_later(GRACE_SECONDS, exit=True)
