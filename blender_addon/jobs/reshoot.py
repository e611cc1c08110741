"""One re-shoot: the strip's cameras and plate are read, a little at each tick, and sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import bpy

from .. import versions
from ..camera.shot import ShotReader
from ..clip.plate import (
    PlateRenderer,
    changed,
    check,
    clip_frames,
    look,
    original_plate,
    picture_part,
    untouched,
)
from ..clip.strips import StripMark, find_strip, mark
from ..preferences import delete_delivered
from ..scene.blocks import find
from ..scene.temporary_scene import rendering
from ..settings import model_settings
from ..shared.client.client import Client
from ..shared.protocol.request import JobRequest, new_id
from .job import Job
from .parcel import Parcel
from .stand import Stand

SLICE_SECONDS = 0.01  # for a piece of work in Blender's main thread
LOOK_SECONDS = 0.1  # between two looks at what Blender renders


class Reshoot(Job):
    """A re-shoot of one strip.

    strip, scene: what to re-shoot, and the scene in whose sequencer it lies; its camera, subject
    and engine are those of ``scene.recam``. client, server_key: where to, and the key it was made
    with. asked: engine and the model's settings, where they are not those of ``scene.recam``.
    Raises RecamError at once for a strip that cannot be re-shot.
    """

    def __init__(
        self,
        strip,
        scene,
        client: Client,
        server_key: str = "",
        asked: tuple[str, dict] | None = None,
    ) -> None:
        check(strip, scene)
        asked = asked or (scene.recam.engine, model_settings(scene.recam))
        super().__init__(new_id(), strip.name, *asked)
        self.stand = Stand("camera", 0.0)
        self.strip, self.client = mark(strip, scene), client
        self._work = Path(mkdtemp(prefix="recam-"))
        self._steps = self._run(self.strip, server_key)

    def _run(self, marked: StripMark, server_key: str) -> Iterator[float]:
        strip, scene = _found(marked)
        handles, seen = scene.recam.handles, look(strip, scene)
        frames = clip_frames(strip, scene, handles)
        part = picture_part(strip, scene)
        before = versions.first_frame(strip) - frames.start
        reader = ShotReader(scene, frames, part, self._work, before)
        share = 0.0
        while not self._cancelled and share < 1:
            if rendering():
                yield LOOK_SECONDS
                continue
            share = reader.step(SLICE_SECONDS)
            self.stand = Stand("camera", share)
            yield 0.0
        if not self._cancelled:
            strip, scene = _found(marked)  # an undo in between makes Blender's objects anew
            if (look(strip, scene), clip_frames(strip, scene, handles)) != (seen, frames):
                raise changed(strip)
            shot = reader.shot()
            plate = yield from self._plate(strip, scene, handles)
        if self._cancelled:
            self.stand = Stand("cancelled")
            return
        request = JobRequest(
            shot=shot,
            parts=(),
            first=plate.first,
            name=self.strip_name[:200],
            engine=self.asked_engine,
            audio=False,  # the strip's sound is a strip of its own
            untagged_matrix=6,  # so Blender shows such files; the take must look the same
            settings=self.asked_settings,
            delete_on_delivery=delete_delivered(),
            job=self.id,
        )
        yield from self._shoot(Parcel(request, plate, reader.depth), server_key)

    def _plate(self, strip, scene, handles: int) -> Iterator[float]:
        if untouched(strip, scene):
            return original_plate(strip, scene, handles)
        renderer = PlateRenderer(strip, scene, self._work, handles)
        try:
            while not self._cancelled and (share := renderer.look()) < 1:
                self.stand = Stand("plate", share)
                yield LOOK_SECONDS
        finally:
            renderer.cancel()
        return renderer.plate()


def _found(marked: StripMark) -> tuple:
    return find_strip(marked), find(bpy.data.scenes, marked.scene, "scene")
