"""Pickles that would make a file, wherever the wire takes something; none makes one."""

from __future__ import annotations

import base64
import json
import os
import pickle
from pathlib import Path

from plain_client import PlainClient
from servers import Server, until

from shared.protocol.request import new_id

from .mutating import BODIES, SHOT
from .table import Row


class _Trap:
    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self):
        return os.mkdir, (self.file,)


def pickles(server: Server, client: PlainClient, folder: Path, clip: Path) -> list[Row]:
    """By every type of message, as header, data and in each field; as clip, depth and start."""
    sprung = folder / "sprung"
    payloads = [pickle.dumps(_Trap(sprung), protocol) for protocol in range(6)]
    sent = sum(_as_messages(client, payload) for payload in payloads)
    stages = _as_files(client, payloads[2], clip)
    made = sprung.exists()
    pickle.loads(payloads[2])  # the trap is a real one
    assert sprung.exists()
    return [
        Row(
            f"pickles in {sent:,} messages of {len(BODIES)} types: files they made",
            "some" if made else "0",
            "0",
            not made,
        ),
        Row(
            "jobs whose clip, depth file, video to start from is a pickle",
            f"{', '.join(stages)} (projection needs no start)",
            "an end, each",
            stages == ["failed", "failed", "finished"],
        ),
    ]


def _as_messages(client: PlainClient, payload: bytes) -> int:
    text = base64.b64encode(payload).decode()
    sent = [[payload], [payload, payload], [b"", payload]]
    for kind, body in BODIES.items():
        header = {"recam": 1, "type": kind, "id": 1, "re": None, "body": body}
        sent += [
            [json.dumps(header).encode(), payload],
            [json.dumps(header | {"body": text}).encode()],
            [json.dumps(header).encode()[:-1] + payload],
        ]
        for field in body:
            wrong = header | {"body": body | {field: text}}
            sent.append([json.dumps(wrong).encode()])
    for frames in sent:
        client.socket.send_multipart(frames)
        while (told := client.receive()[0])["type"] == "job.state" and told["re"] is None:
            pass
    return len(sent)


def _as_files(client: PlainClient, payload: bytes, clip: Path) -> list[str]:
    """Where jobs end whose clip, depth and start are the pickle."""
    from .messages import job

    trap = client.upload(payload, new_id())
    good = client.upload(clip.read_bytes(), new_id())
    jobs = [
        job(trap),
        job(good, depth=trap),
        job(good, start=trap, engine="projection", settings={"denoising_strength": 0.5}),
    ]
    stages = []
    for body in jobs:
        kind, told, _ = client.ask("job.submit", body, json.dumps(SHOT).encode())
        assert kind == "job.accepted", told
        wanted = {"job": body["job"]}
        stages.append(
            until(
                lambda wanted=wanted: (
                    (s := client.ask("job.attach", wanted)[1])["ended"] and s["stage"]
                )
            )
        )
    return stages
