"""Who has no business here: wrong keys, unlisted, revoked; another's job."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from pathlib import Path

import zmq
from plain_client import PlainClient
from proxy import Proxy
from servers import Server, until

from shared.errors import RecamError
from shared.protocol.keys import client_keys
from shared.protocol.request import new_id

from .beside import client_of
from .plan import CLIPS, Job
from .table import Row

MOST_ATTEMPTS = {60.0: 20, 6.0: 4}  # connections that a refused client may make in so many seconds
ASK_SECONDS = 0.2  # from one question of a refused client to its next


def run(short: bool) -> list[Row]:
    """Refused clients that keep asking for a minute; short: for six seconds."""
    seconds = min(MOST_ATTEMPTS) if short else max(MOST_ATTEMPTS)
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as name, contextlib.ExitStack() as out:
        folder = Path(name)
        server = Server(folder / "server").start()
        out.callback(server.stop)
        return [
            *_unlisted_at_the_socket(server, _person(server, folder / "raw"), out),
            *_anothers(server, folder, out),
            *_insistent(server, folder, seconds, out),
        ]


def _insistent(server: Server, folder: Path, seconds: float, out) -> list[Row]:
    """Three clients that are refused and do not leave it at that."""
    allowed = server.run(
        "keys", "allow", "revoked", _person(server, folder / "revoked") / "client.pub"
    )
    assert allowed.returncode == 0, allowed.stderr
    stranger = zmq.curve_keypair()[0]
    refused = {
        "a wrong server key": (folder / "revoked", stranger, "server_key"),
        "an unlisted key": (_person(server, folder / "unlisted"), None, "key_refused"),
        "a key revoked while connected": (folder / "revoked", None, "key_revoked"),
    }
    asking = [_Asking(what, server.address, *about, out) for what, about in refused.items()]
    until(lambda: asking[2].welcomed)
    revoked = server.run("keys", "revoke", "revoked")
    assert revoked.returncode == 0, revoked.stderr
    for each in asking:
        each.start(seconds)
    return [row for each in asking for row in each.rows(seconds)]


class _Asking:
    """A client that asks again and again, through a proxy which counts its connections."""

    def __init__(self, what, address: str, folder: Path, key, code: str, out) -> None:
        self._what, self._code = what, code
        self.welcomed = False
        self.errors: list[RecamError] = []
        self._proxy = out.enter_context(Proxy(address))
        self._client = out.enter_context(client_of(folder, self._proxy.address, key))
        with contextlib.suppress(RecamError):
            self.welcomed = bool(self._client.server(5.0))
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def start(self, seconds: float) -> None:
        """Ask from now on, for so long."""
        self._until = time.monotonic() + seconds
        self._before = self._proxy.connections
        self._thread.start()

    def _ask(self) -> None:
        while time.monotonic() < self._until:
            try:
                self._client.ask("server.info", {}, 2.0).result()
            except RecamError as error:
                self.errors.append(error)
            time.sleep(ASK_SECONDS)

    def rows(self, seconds: float) -> list[Row]:
        """What it was told, and how often it tried to connect."""
        self._thread.join()
        attempts = self._proxy.connections - self._before
        codes = {error.code for error in self.errors}
        words = next((error for error in self.errors if error.code == self._code), None)
        return [
            Row(
                f"{self._what}: what its user reads",
                words.sentence.replace(self._proxy.address, "…") if words else f"{sorted(codes)}",
                self._code,
                words is not None,
            ),
            Row(
                f"{self._what}: connections in {seconds:.0f} s of asking {len(self.errors)} times",
                str(attempts),
                f"<= {MOST_ATTEMPTS[seconds]}",
                attempts <= MOST_ATTEMPTS[seconds],
            ),
        ]


def _unlisted_at_the_socket(server: Server, folder: Path, out) -> list[Row]:
    """What comes back over TCP to a key that is not listed, frame by frame."""
    proxy = out.enter_context(Proxy(server.address))
    proxy.heard = []
    client = PlainClient(proxy.address, folder)
    out.callback(client.close)
    for _ in range(5):
        for kind, body in (("hello", {"protocol": 1, "client": "x"}), ("job.list", {})):
            client.send(kind, body)
        time.sleep(0.3)
        client.socket.disconnect(proxy.address)
        client.socket.connect(proxy.address)
    names = [name for stream in proxy.heard for name in _frames(bytes(stream))]
    connections = len(proxy.heard)
    welcome = PlainClient(proxy.address, server.config)  # whoever is listed is told something
    out.callback(welcome.close)
    welcome.ask("hello", {"protocol": 1, "client": "x"})
    assert any("MESSAGE" in _frames(bytes(stream)) for stream in proxy.heard)
    messages = names.count("MESSAGE")
    return [
        Row(
            f"an unlisted key: messages that come back over TCP on {connections} connections",
            f"{messages} ({len(names)} frames of the handshake: {', '.join(sorted({*names}))})",
            "0",
            messages == 0 and "WELCOME" in names,
        )
    ]


def _frames(stream: bytes) -> list[str]:
    """The name of each ZMTP frame behind the greeting of 64 bytes."""
    found, at = [], 64
    while at + 2 <= len(stream):
        long = stream[at] & 2
        size = int.from_bytes(stream[at + 1 : at + 9], "big") if long else stream[at + 1]
        begin = at + (9 if long else 2)
        name = stream[begin + 1 : begin + 1 + stream[begin]] if begin < len(stream) else b""
        found.append(name.decode("latin-1"))
        at = begin + size
    return found


def _anothers(server: Server, folder: Path, out) -> list[Row]:
    """One client asks for another's job and clip by their right ids."""
    from takes import write_clip

    clip = write_clip(folder / "tiny.mp4", *CLIPS["tiny"])
    owner = PlainClient(server.address, server.config)
    out.callback(owner.close)
    digest = owner.upload(clip.read_bytes(), new_id())
    request = Job(new_id(), 0, "tiny", 5, 0, 1, "").request()
    body = request.to_body() | {"parts": [digest]}
    assert owner.ask("job.submit", body, request.shot_data())[0] == "job.accepted"
    person = _person(server, folder / "other")
    assert server.run("keys", "allow", "other", person / "client.pub").returncode == 0
    other = PlainClient(server.address, person)
    out.callback(other.close)
    assert other.ask("hello", {"protocol": 1, "client": "other"})[0] == "welcome"
    asked = {
        kind: other.ask(kind, {"job": request.job} | more)[1].get("code", "an answer")
        for kind, more in (
            ("job.attach", {}),
            ("job.cancel", {}),
            ("job.picture", {}),
            ("result.get", {"take": 0, "offset": 0}),
            ("result.delivered", {}),
        )
    }
    clip_known = other.ask("blob.have", {"sha256": digest})[0]
    jobs = len(other.ask("job.list", {})[1]["jobs"])
    codes = ", ".join(sorted(set(asked.values())))
    return [
        Row(
            f"another's job id, in {len(asked)} kinds of message",
            codes,
            "no_such_job",
            codes == "no_such_job",
        ),
        Row(
            "another's clip by its SHA-256",
            clip_known,
            "blob.missing",
            clip_known == "blob.missing",
        ),
        Row("another's jobs in one's own list", str(jobs), "0", jobs == 0),
    ]


def _person(server: Server, folder: Path) -> Path:
    """A folder with a key of its own, not listed, and the server's."""
    client_keys(folder)
    shutil.copy(server.config / "server.pub", folder)
    return folder
