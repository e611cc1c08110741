"""A process with many clients, each with a key and a connection of its own.

``python -m tests.stress.crowd FOLDER``: the folder holds ``crowd.json``, a list of clients with
their ``folder`` of keys, ``jobs`` (how many) and ``go`` (a file: they begin once it is there), and
gets ``events``: a line for each thing that happened, in words and seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import TextIO

import zmq.asyncio

from shared.client.connection import Connection
from shared.protocol.keys import client_keys
from shared.protocol.messages import Message
from shared.protocol.request import new_id

from .observer import ENDS
from .plan import Job

PATIENCE = 120.0
LOOK_SECONDS = 0.1


def main(folder: Path) -> None:
    """Until every job of every client has ended."""
    clients = json.loads((folder / "crowd.json").read_text())
    with (folder / "events").open("w", buffering=1) as events:
        asyncio.run(_all(clients, events))


async def _all(clients: list[dict], events: TextIO) -> None:
    context = zmq.asyncio.Context()
    context.set(zmq.MAX_SOCKETS, 4096)
    try:
        await asyncio.gather(*[_one(context, client, events) for client in clients])
    finally:
        context.destroy(linger=0)


async def _one(context: zmq.asyncio.Context, client: dict, events: TextIO) -> None:
    folder, left, name = Path(client["folder"]), set(), Path(client["folder"]).name
    all_ended = asyncio.Event()

    def on_event(message: Message) -> None:
        body = message.body
        if message.type == "job.state" and body["stage"] in ENDS and body["job"] in left:
            left.discard(body["job"])
            events.write(f"end {name} {body['stage']} {body['ended']}\n")
            if not left:
                all_ended.set()

    key = (folder / "server.pub").read_bytes().strip()
    connection = Connection(
        context, client["address"], key, client_keys(folder), on_event, lambda: None
    )
    try:
        await connection.ready(PATIENCE)
        part = await _send_clip(connection, Path(client["clip"]))
        events.write(f"ready {name}\n")
        while not Path(client["go"]).exists():
            await asyncio.sleep(LOOK_SECONDS)
        jobs = [Job(new_id(), 0, "tiny", 5, 0, 1, "") for _ in range(client["jobs"])]
        left.update(job.id for job in jobs)
        for job in jobs:
            request = job.request()
            body = request.to_body() | {"parts": [part]}
            began = time.monotonic()
            await connection.request("job.submit", body, request.shot_data(), seconds=PATIENCE)
            events.write(f"accepted {name} {time.monotonic() - began} {time.time()}\n")
        await all_ended.wait()
    finally:
        connection.close()


async def _send_clip(connection: Connection, clip: Path) -> str:
    """A clip of one chunk; its SHA-256."""
    content, upload = clip.read_bytes(), new_id()
    digest = hashlib.sha256(content).hexdigest()
    start = {"upload": upload, "size": len(content), "sha256": digest}
    await connection.request("blob.put", start, seconds=PATIENCE)
    head = {"upload": upload, "offset": 0, "sha256": digest}
    await connection.request("blob.chunk", head, content, seconds=PATIENCE)
    end = {"upload": upload, "sha256": digest}
    await connection.request("blob.end", end, seconds=PATIENCE)
    return digest


if __name__ == "__main__":
    main(Path(sys.argv[1]))
