"""A TCP relay that lets bytes through slowly, so that a transfer can be met under way."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

PIECE = 16 * 1024
PAUSE = 0.05  # seconds after each piece: about 300 kB/s each way


class SlowWire:
    """Listens at ``address`` and relays every connection to ``target``, on this machine."""

    def __init__(self, target: str) -> None:
        self._target = "127.0.0.1", int(target.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut all connections."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=ends, daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                target.sendall(piece)
                if len(piece) > 1024:  # handshakes and replies pass at once
                    time.sleep(PAUSE)
            target.shutdown(socket.SHUT_WR)
