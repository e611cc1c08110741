"""What the front's memory comes to, with a hundred clients that send, fetch, or never read."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import socket
import time

from servers import Server

from inference_server.front.journal.journal import Journal
from inference_server.front.storage.store import Store
from shared.protocol.limits import CHUNK_BYTES, CREDIT, FRAME_BYTES, SHOT_BYTES
from shared.protocol.request import JobRequest

from .peers import Peak, Peer, crowd, settled
from .table import Row

MOST = 150e6  # bytes resident
MOST_UNKNOWN = 30e6  # bytes more because of twenty who prove no key
SECONDS = 600.0
MB = 1e6


def run(short: bool) -> list[Row]:
    """Each with a server of its own, that has all its clients from the start."""
    count, sent, quiet = (20, 64, 1.0) if short else (100, 2000, 3.0)
    return [
        _one_uploads(count, int(sent * MB)),
        _all_upload(count, 4 if short else 32),
        *_none_reads(count, quiet),
        _questions(count, 200 if short else 2000, quiet),
        _long_shot(),
        _unlisted(20),
    ]


def _row(what: str, peak: Peak) -> Row:
    figure = f"{peak.bytes / MB:.0f} MB ({peak.before / MB:.0f} MB before)"
    return Row(what, figure, f"< {MOST / MB:.0f} MB", peak.bytes < MOST)


def _one_uploads(count: int, size: int) -> Row:
    with crowd(count) as (server, peers), Peak(server) as peak:
        for number, _ in enumerate(peers[0].begin(size)):
            if number % 64 == 0:  # the others are there, too
                peers[1 + number // 64 % (count - 1)].ask("server.info", {})
    return _row(f"{count} clients, one uploads {size / MB:.0f} MB", peak)


def _all_upload(count: int, chunks: int) -> Row:
    size = chunks * CHUNK_BYTES
    with crowd(count) as (server, peers), Peak(server) as peak:
        under_way = [peer.begin(size) for peer in peers]
        while under_way:
            under_way = [each for each in under_way if next(each, each) is None]
    return _row(f"{count} clients upload {size / MB:.0f} MB each at the same time", peak)


def _none_reads(count: int, quiet: float) -> list[Row]:
    """All but one ask for a result and never read; the last one fetches its own meanwhile."""
    chunks = 4 * CREDIT
    with crowd(count) as (server, peers):
        server.stop()
        jobs = [_put_result(server, peer, chunks * CHUNK_BYTES) for peer in peers]
        server.start()
        for peer in peers:
            peer.hello()
        with Peak(server) as peak:
            for peer, job in zip(peers[1:], jobs[1:], strict=True):
                for number in range(chunks):
                    peer.send("result.get", _wanted(job, number))
            waits = [0.0]
            for number in range(chunks):
                began = time.monotonic()
                kind, _, data = peers[0].ask("result.get", _wanted(jobs[0], number))
                waits.append(time.monotonic() - began)
                assert (kind, len(data)) == ("result.chunk", CHUNK_BYTES)
            settled(lambda: peak.bytes, quiet)
    what = f"{count - 1} clients ask for {chunks} chunks each and read none"
    wait = Row(
        "… the one beside them that fetches: its longest wait", f"{max(waits):.1f} s", "", True
    )
    return [_row(f"{what}; one fetches", peak), wait]


def _questions(count: int, most: int, quiet: float) -> Row:
    """All but one ask what is answered at length, and never read."""
    with crowd(count) as (server, peers), Peak(server) as peak:
        for peer in peers[1:]:
            for _ in range(most):
                peer.send("server.info", {})
        assert peers[0].ask("server.info", {})[0] == "server.info"
        settled(lambda: peak.bytes, quiet)
    return _row(f"{count - 1} clients ask {most} questions each and read no answer", peak)


def _long_shot() -> Row:
    """The longest shot that there may be, and one that is nothing but brackets."""
    pose = ",".join(f"{value:.11f}" for value in (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0))
    camera = '{"lenses":[[0.97,1.7,0.5,0.5]],"poses":[%s]}'
    shot = '{"format":"recam-shot","version":1,"axes":"x right, y down, z forward",'
    shot += '"units":"metres","rate":"25","trajectory":%s}'
    frames = (SHOT_BYTES - 1000) // (len(pose) + 3)
    data = (shot % (camera % ",".join([f"[{pose}]"] * frames))).encode()
    with crowd(1) as (server, (peer,)), Peak(server) as peak:
        for _ in peer.begin(1000):
            pass
        job = _job(peer.sent)
        job["shot"] = peer.upload(data)
        assert peer.ask("job.submit", job)[0] == "job.accepted"
        while (said := peer.receive())[1]["stage"] != "failed":  # its clip is none
            pass
        for broken in (b"[" * SHOT_BYTES, b"[" + b"0," * (SHOT_BYTES // 2 - 1)):
            asked = _job(job["parts"][0]) | {"shot": peer.upload(broken)}
            assert peer.ask("job.submit", asked)[0] == "error", said
    return _row(f"a shot of {frames} frames, {len(data) / MB:.0f} MB", peak)


def _unlisted(count: int) -> Row:
    """Connections that send the most of the longest frame that is taken, and prove no key."""
    # A handshake's command that is about to end; ZMTP 3.1.
    greeting = b"\xff" + bytes(8) + b"\x7f\3\1" + b"CURVE".ljust(20, b"\0") + bytes(32)
    size, lines = FRAME_BYTES - 1, []
    sent = greeting + b"\6" + size.to_bytes(8, "big") + b"x" * (size - 1)
    with crowd(1) as (server, (peer,)), Peak(server) as peak, contextlib.ExitStack() as open_:
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", server.port))
            open_.callback(line.close)
            line.sendall(sent)
            lines.append(line)
        assert peer.ask("server.info", {})[0] == "server.info"
        for line in lines:  # the server lets go of them
            line.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                while line.recv(1000):
                    pass
        grown = (peak.bytes - peak.before) / MB
    what = f"{count} connections without a key send {FRAME_BYTES / MB:.1f} MB each"
    return Row(
        what, f"{grown:.0f} MB more", f"< {MOST_UNKNOWN / MB:.0f} MB", grown < MOST_UNKNOWN / MB
    )


def _job(part: str) -> dict:
    return {
        "job": secrets.token_hex(16),
        "engine": "auto",
        "name": "clip",
        "parts": [part],
        "first": 0,
        "depth": None,
        "start": None,
        "audio": True,
        "untagged_matrix": None,
        "settings": {},
    }


def _wanted(job: str, number: int) -> dict:
    return {"job": job, "take": 0, "offset": number * CHUNK_BYTES}


def _put_result(server: Server, peer: Peer, size: int) -> str:
    """A finished job of that client's, with a result of so many bytes; its id."""
    from takes import request

    made = request(1)
    made = JobRequest(made.shot, ("0" * 64,))
    file = Store(server.state).result(peer.key, made.job, 0)
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        out.truncate(size)
    journal = Journal(server.state / "journal.sqlite")
    entry = journal.accept(peer.key, made, made.shot_data())
    take = {"size": size, "sha256": hashlib.sha256(bytes(size)).hexdigest(), "frames": 1}
    journal.start(entry, "projection", "")
    journal.finish(entry, {"takes": [take], "remarks": [], "seconds": 1.0})
    journal.close()
    return made.job
