"""A TCP proxy that counts, waits, cuts, swallows and splits: a network that a test can break."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import threading
import time

# A lingering of no time: closing sends a RST, and what was not sent is dropped.
_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

LOOK_SECONDS = 0.05  # until a connection that rests notices what has been decided about it


class Proxy:
    """Stands between clients and the server at ``address``; ``self.address`` is its own.

    sent, received: bytes that went to the server, and came from it.
    cut_after: the connection breaks once this many bytes of it went to the server; then None.
    cut_always: the same for every connection, again and again.
    cut_received: the connection breaks once this many bytes of it came from the server; then None.
    reset: whether a connection that breaks ends with a RST to both sides instead of a FIN.
    slow: seconds that each piece of at most 64 KiB waits.
    bytewise: so many bytes at the beginning of each piece are passed on one by one.
    links: the connections that are open.
    heard: what came from the server, connection after connection, if it is made a list of such.
    """

    def __init__(self, address: str) -> None:
        self._server = "127.0.0.1", int(address.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = self.received = self.connections = 0
        self.cut_after: int | None = None
        self.cut_always: int | None = None
        self.cut_received: int | None = None
        self.reset = False
        self.slow = 0.0
        self.bytewise = 0
        self.links: list[Link] = []
        self.heard: list[bytearray] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        for link in list(self.links):
            link.cut(self.reset)

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
                self.links.append(Link(self, client, server))


class Link:
    """One connection through a proxy.

    swallow: ``sent`` or ``received``: what goes that way is taken and thrown away from now on,
    as by a router that has forgotten half of the connection; neither side is told.
    """

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.swallow = ""
        self._proxy = proxy
        self._ends = client, server
        self._broken = self._reset = False
        self._pumps = 2
        self._closing = threading.Lock()
        for end in self._ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for way in ((client, server, "sent"), (server, client, "received")):
            threading.Thread(target=self._pump, args=way, daemon=True).start()

    def cut(self, reset: bool = False) -> None:
        """Break it: with a FIN at once, or within LOOK_SECONDS with a RST."""
        self._reset |= reset
        self._broken = True
        if not reset:
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, target: socket.socket, way: str) -> None:
        proxy, carried, heard = self._proxy, 0, None
        if way == "received" and proxy.heard is not None:
            proxy.heard.append(heard := bytearray())
        with contextlib.suppress(OSError):
            while not self._broken:
                if not select.select([source], [], [], LOOK_SECONDS)[0]:
                    continue
                if not (piece := source.recv(65536)):
                    break
                carried += len(piece)
                setattr(proxy, way, getattr(proxy, way) + len(piece))
                if heard is not None:
                    heard += piece
                if self._is_due(way, carried):
                    break
                if self.swallow == way:
                    continue
                time.sleep(proxy.slow)
                for byte in piece[: proxy.bytewise]:
                    target.sendall(bytes([byte]))
                target.sendall(piece[proxy.bytewise :])
        self.cut(self._reset)
        self._leave()

    def _is_due(self, way: str, carried: int) -> bool:
        proxy = self._proxy
        after = proxy.cut_always or proxy.cut_after
        limit = after if way == "sent" else proxy.cut_received
        if limit is None or carried <= limit:
            return False
        if way == "sent":
            proxy.cut_after = None
        else:
            proxy.cut_received = None
        self._reset |= proxy.reset
        return True

    def _leave(self) -> None:
        """The last of both pumps closes: a socket that is still read from sends no RST."""
        with self._closing:
            self._pumps -= 1
            if self._pumps:
                return
        for end in self._ends:
            if self._reset:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            end.close()
        with contextlib.suppress(ValueError):
            self._proxy.links.remove(self)
