"""A TCP proxy that counts, waits and cuts: a network that a test can break."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Proxy:
    """Stands between clients and the server at ``address``; ``self.address`` is its own.

    sent, received: bytes that went to the server, and came from it.
    cut_after: the connection breaks once this many bytes of it went to the server; then None.
    cut_always: the same for every connection, again and again.
    slow: seconds that each piece of at most 64 KiB waits.
    """

    def __init__(self, address: str) -> None:
        self._server = "127.0.0.1", int(address.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = self.received = self.connections = 0
        self.cut_after: int | None = None
        self.cut_always: int | None = None
        self.slow = 0.0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break every connection and take no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(self._server)
                except OSError:  # nobody there: as an SSH tunnel does, take it and drop it
                    client.close()
                    continue
                self._open += [client, server]
                for pair in ((client, server, "sent"), (server, client, "received")):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counter: str) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                carried += len(piece)
                setattr(self, counter, getattr(self, counter) + len(piece))
                limit = self.cut_always or self.cut_after
                if counter == "sent" and limit is not None and carried > limit:
                    self.cut_after = None
                    break
                time.sleep(self.slow)
                target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
