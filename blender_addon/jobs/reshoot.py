"""One re-shoot, from strip to take, a little at each tick.

Knows no timer: the window's drives ``tick``, and so does a test or a script, by hand.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

import bpy

from .. import versions
from ..camera.shot import ShotReader
from ..clip.plate import (
    Plate,
    PlateRenderer,
    changed,
    check,
    look,
    original_plate,
    picture_part,
    untouched,
)
from ..clip.strips import StripMark, find_strip, mark
from ..scene.blocks import find
from ..settings import model_settings
from ..shared.cameras.trajectory import Shot
from ..shared.client.client import Client
from ..shared.client.job import RemoteJob
from ..shared.errors import RecamError
from ..shared.protocol.request import JobRequest
from ..shared.takes import MOST_TAKES, take_path
from ..takes.folder import name_take, writable_folder
from ..takes.place import Result, place_takes
from ..takes.sidecar import write_sidecar

SLICE_SECONDS = 0.1  # for a piece of work in Blender's main thread
LOOK_SECONDS = 0.25  # between two looks at the server's progress
CONNECT_SECONDS = 12.0  # for the first answer; a server lost later is given its time to restart

WORDS = {
    "camera": "Reading the camera",
    "plate": "Rendering the plate",
    "connecting": "Connecting",
    "uploading": "Sending the clip",
    "queued": "Waiting in the queue",
    "rendering": "Rendering",
    "cancelling": "Cancelling",
    "downloading": "Fetching the take",
    "finished": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True)
class Stand:
    """How far a re-shoot is. share: 0 to 1 of the stage, or None; seconds_left may be None.

    doing: what the engine does while it renders, or empty; share and seconds are then of that.
    """

    stage: str
    share: float | None = None
    seconds_left: float | None = None
    doing: str = ""

    @property
    def words(self) -> str:
        """The stage, or what the engine does, in words."""
        return self.doing[:1].upper() + self.doing[1:] or WORDS[self.stage]


class Reshoot:
    """A re-shoot of one strip. ``stand`` says how far it is, ``error`` why it failed.

    strip, scene: what to re-shoot, and the scene in whose sequencer it lies; its camera, subject
    and engine are those of ``scene.recam``. ``takes`` are the names of the new strips, once there.
    Raises RecamError at once for a strip that cannot be re-shot.
    """

    def __init__(self, strip, scene, client: Client) -> None:
        check(strip, scene)
        self.strip_name = strip.name
        self.stand = Stand("camera", 0.0)
        self.engine = ""
        self.engine_reason = ""
        self.remarks: list[str] = []
        self.error: RecamError | None = None
        self.takes: list[str] = []
        self._client = client
        self._remote: RemoteJob | None = None
        self._work = Path(mkdtemp(prefix="recam-"))
        self._fetched: Path | None = None
        self._cancelled = False
        self._steps = self._run(mark(strip, scene))

    @property
    def running(self) -> bool:
        """Whether ``tick`` has anything left to do."""
        return self.stand.stage not in ("finished", "failed", "cancelled")

    @property
    def take(self) -> str:
        """The first of ``takes``, or empty."""
        return self.takes[0] if self.takes else ""

    @property
    def job(self) -> str:
        """The job's id on the server; empty before it is sent."""
        return self._remote.id if self._remote else ""

    def tick(self) -> float | None:
        """Do a little; the seconds until the next tick, or None when there is nothing left."""
        try:
            return next(self._steps)
        except StopIteration:
            pass
        except RecamError as error:
            self._fail(error)
        except Exception as error:
            traceback.print_exc()  # to Blender's console; a timer would swallow it
            self._fail(
                RecamError(
                    "addon_fault",
                    f"Recam's add-on made a mistake ({type(error).__name__}: {error}).",
                    "The system console has the details; please report them.",
                )
            )
        self._clean()
        return None

    def cancel(self) -> None:
        """Call it off; the next ticks bring it to its end."""
        self._cancelled = True
        if self._remote is not None:
            self._remote.cancel()

    def abandon(self) -> None:
        """Let go without waiting; what the server has of it goes on there."""
        self._steps.close()
        if self.running:
            self.stand = Stand("cancelled")
        self._clean()

    def _run(self, marked: StripMark) -> Iterator[float]:
        strip, scene = _found(marked)
        frames, seen = _frames(strip), look(strip, scene)
        part = picture_part(strip, scene)
        reader = ShotReader(scene, frames, part)
        while not self._cancelled and (share := reader.step(SLICE_SECONDS)) < 1:
            self.stand = Stand("camera", share)
            yield 0.0
        if not self._cancelled:
            strip, scene = _found(marked)  # an undo in between makes Blender's objects anew
            if (look(strip, scene), _frames(strip)) != (seen, frames):
                raise changed(strip)
            settings, shot = scene.recam, reader.shot()
            engine, asked = settings.engine, model_settings(settings)
            plate = yield from self._plate(strip, scene)
        if self._cancelled:
            self.stand = Stand("cancelled")
            return
        yield from self._shoot(shot, engine, asked, plate)

    def _plate(self, strip, scene) -> Iterator[float]:
        if untouched(strip, scene):
            return original_plate(strip, scene)
        renderer = PlateRenderer(strip, scene, self._work)
        share = 0.0
        while share < 1 and not self._cancelled:
            self.stand = Stand("plate", share)
            yield 0.0
            share = renderer.step(SLICE_SECONDS)
        return renderer.plate()

    def _shoot(self, shot: Shot, engine: str, asked: dict, plate: Plate) -> Iterator[float]:
        request = JobRequest(
            shot=shot,
            parts=(),
            first=plate.first,
            name=self.strip_name[:200],
            engine=engine,
            audio=False,  # the strip's sound is a strip of its own
            untagged_matrix=6,  # so Blender shows such files; the take must look the same
            settings=asked,
        )
        folder, elsewhere = writable_folder()
        self._fetched = folder / f".{request.job}.mp4"
        self._remote = self._client.shoot(request, plate.parts, self._fetched)
        patient_until = monotonic() + CONNECT_SECONDS
        while not (state := self._remote.state).ended:
            if state.stage == "connecting" and monotonic() > patient_until:
                self._remote.cancel()
                raise self._unreachable()
            share = state.step / state.steps if state.steps else None
            self.stand = Stand(state.stage, share, state.seconds_left, state.doing)
            self.engine, self.engine_reason = state.engine, state.engine_reason
            self.remarks = [elsewhere, *state.remarks] if elsewhere else [*state.remarks]
            yield LOOK_SECONDS
        if state.error:
            raise state.error
        if state.stage == "finished":
            record = {
                "job": self._remote.id,
                "engine": state.engine,
                "subject_distance": shot.subject_distance,
                "settings": asked,
                "remarks": state.result["remarks"],
                "clip": self.strip_name,
                "blend": Path(bpy.data.filepath).name,
            }
            self._place(plate, state.result["takes"], shot, record)
            self.remarks = [elsewhere, *record["remarks"]] if elsewhere else record["remarks"]
        self.stand = Stand(state.stage)

    def _place(self, plate: Plate, takes: list[dict], shot: Shot, record: dict) -> None:
        results = [
            Result(
                name_take(take_path(self._fetched, number), self.strip_name),
                tuple(take["content_size"]),
                record | {"report": take["report"], "content_size": take["content_size"]},
            )
            for number, take in enumerate(takes)
        ]
        try:
            for result in results:
                write_sidecar(result.path, shot, result.settings)
            self.takes = [strip.name for strip in place_takes(plate, results)]
        except RecamError as error:
            files = ", ".join(str(result.path) for result in results)
            kept = "The take itself is kept" if len(results) == 1 else "The takes are kept"
            hint = f"{error.hint} {kept}: {files}"
            raise RecamError(error.code, error.sentence, hint) from error

    def _unreachable(self) -> RecamError:
        return RecamError(
            "server_unreachable",
            f"No Recam server answers at {self._client.address}.",
            "Start one with `recam serve`, or correct the address in the add-on's preferences.",
        )

    def _clean(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        if self._fetched:
            for number in range(MOST_TAKES):
                take_path(self._fetched, number).unlink(missing_ok=True)

    def _fail(self, error: RecamError) -> None:
        self.error = error
        self.stand = Stand("failed")


def _found(marked: StripMark) -> tuple:
    return find_strip(marked), find(bpy.data.scenes, marked.scene, "scene")


def _frames(strip) -> range:
    return range(versions.first_frame(strip), versions.end_frame(strip))
