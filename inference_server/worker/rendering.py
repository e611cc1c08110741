"""One order, rendered: from the front's order to what it is told meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from shared.protocol.shot_text import read_shot

from ..engines.base import MakePicture
from ..reshoot import reshoot
from .faults import as_named
from .pictures import Pictures
from .pipes import Pipes

PROGRESS_SECONDS = 0.1  # between two words on how far a job is
ALIVE_SECONDS = 1.0  # between two signs of life while there is nothing to say


def render(order: dict, releases: Path, pipes: Pipes) -> dict:
    """The result; raises as ``reshoot`` does.

    An engine that asks whether it is to stop is alive: the front hears of that too.
    """
    last, did, pictures = 0.0, "", Pictures()

    def on_progress(
        step: int,
        steps: int,
        doing: str = "",
        remarks: Sequence[str] = (),
        picture: MakePicture | None = None,
    ) -> None:
        nonlocal last, did
        now, shown = time.monotonic(), pictures.of(picture)
        if now - last >= PROGRESS_SECONDS or step == steps or doing != did or remarks or shown:
            last, did = now, doing
            remarks = [as_named(remark, order) for remark in remarks]
            far = {"step": step, "steps": steps, "doing": doing, "remarks": remarks}
            pipes.say("progress", job=order["job"], **far, picture=shown)

    def should_stop() -> bool:
        nonlocal last
        if (now := time.monotonic()) - last >= ALIVE_SECONDS:
            last = now
            pipes.say("alive", job=order["job"])
        return pipes.stop.is_set()

    result = reshoot(
        [Path(clip) for clip in order["clips"]],
        read_shot(Path(order["shot"]).read_bytes()),
        Path(order["out"]),
        engine=order["engine"],
        releases=releases,
        first=order["first"],
        depth=order["depth"] and Path(order["depth"]),
        start=order["start"] and Path(order["start"]),
        audio=order["audio"],
        untagged_matrix=order["untagged_matrix"],
        settings=order["settings"],
        on_progress=on_progress,
        should_stop=should_stop,
    )
    result["remarks"] = [as_named(remark, order) for remark in result["remarks"]]
    return result
