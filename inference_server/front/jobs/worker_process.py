"""A worker process as the front sees it: lines of JSON through its pipes.

Pipes belong to the two processes alone, so nobody else can speak to a worker; and each side
notices the other's end at once, because its pipe ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ...observing.logs import event
from ...observing.worker_output import follow_printed, relay

log = logging.getLogger(__name__)

MODULE = "inference_server.worker"
CODE = Path(__file__).resolve().parents[3]
# As ``-m`` does, but that modules are not looked for in the folder in which the server was started:
# others may write there.
RUN = (
    "import runpy, sys; code, module = sys.argv.pop(1), sys.argv.pop(1); "
    "sys.path[:0] = [code] * (code not in sys.path); "
    "runpy.run_module(module, run_name='__main__', alter_sys=True)"
)
TRACE_SECONDS = 1.0  # for a worker that hangs to write down where


class WorkerProcess:
    """One worker. on_message is called on the event loop with each of its messages,
    on_end once, when the process has ended.

    lane: its lane's name, by which it can be told among the system's processes.
    job: the id of the job at work, for what is printed meanwhile.
    device: what the worker computes on, as it told last: see ``worker/device.py``.
    """

    def __init__(
        self,
        lane: str,
        on_message: Callable[[dict], None],
        on_end: Callable[[int], None],
        releases: str,
    ) -> None:
        self._lane = lane
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_end = on_end
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-c", RUN, str(CODE), MODULE, "--lane", lane),
                *("--front", str(os.getpid()), "--releases", releases),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A Ctrl-C in the server's terminal is for the front, which ends its workers in order.
            **_own_group(),
        )
        self.name, self.job, self.device = f"worker {lane}", "", {}
        event(log, "worker started", lane=lane, pid=self.pid)
        follow_printed(self._process.stderr, self.name, lambda: self.job)
        self._unsaid: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        for work in (self._listen, self._speak):
            threading.Thread(target=work, name="recam-worker-pipe", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, message: dict) -> None:
        """Tell the worker something, without waiting; one that has ended is told nothing."""
        self._unsaid.put(json.dumps(message).encode() + b"\n")

    def end(self) -> None:
        """Close the worker's pipe: it stops what it does and ends."""
        self._unsaid.put(None)

    def kill(self) -> None:
        """End the worker at once, and what it has started."""
        if sys.platform == "win32":
            self._process.kill()
        elif self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.killpg(self.pid, signal.SIGKILL)

    def kill_with_traces(self) -> None:
        """End a worker that hangs; where it can, it writes down first where that was."""
        if self._process.poll() is None and sys.platform != "win32":
            self._process.send_signal(signal.SIGUSR1)
            self._loop.call_later(TRACE_SECONDS, self.kill)
        else:
            self.kill()

    def _listen(self) -> None:
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("a worker wrote %d bytes that are no JSON", len(line))
                continue
            if message["say"] == "log":
                relay(message, self.name)
            elif message["say"] == "device":
                self.device = message["device"]
            else:
                self._post(self._on_message, message)
        self._unsaid.put(None)
        status = self._process.wait()
        event(log, "worker ended", lane=self._lane, pid=self.pid, status=status)
        self._post(self._on_end, status)

    def _speak(self) -> None:
        """In a thread: the pipe of a worker that hangs fills up."""
        try:
            for line in iter(self._unsaid.get, None):
                self._process.stdin.write(line)
                self._process.stdin.flush()
            self._process.stdin.close()
        except OSError:
            log.info("worker %d is gone", self.pid)

    def _post(self, call: Callable, argument) -> None:
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError:
            return  # the loop is closed: the server has ended


def _own_group() -> dict:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
