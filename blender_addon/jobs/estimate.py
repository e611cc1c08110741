"""What the next take would cost, asked of the server while the artist looks at the panel.

Knows no timer: the window's drives ``tick``, and so does a test, by hand. A panel only says what
it shows, by ``show``; nothing is read or sent while Blender draws.
"""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic

import bpy

from ..camera.sampling import scene_rate
from ..clip.plate import clip_frames, looks_untouched
from ..clip.render import rendered_rect
from ..clip.strips import KINDS, StripMark, find_strip, mark, picture_of
from ..consent import check_reachable
from ..preferences import address, server_key
from ..scene.blocks import find
from ..settings import model_settings
from ..shared.errors import RecamError
from ..ui.places import redraw
from . import running, session

TICK_SECONDS = 0.5
AGAIN_SECONDS = 3.0  # until a server that did not answer is asked again
FORGOTTEN_SECONDS = 5.0  # nobody has drawn it for so long
NO_ANSWER = (  # errors that say nothing of the job
    "server_silent",
    "server_unreachable",
    "unknown_message",  # an older server
    "estimate_failed",
    "worker_gone",
    "server_busy",
    "client_limit",
)


@dataclass(frozen=True)
class Question:
    """A job that may be sent, to be compared: what decides its cost, and what came before it."""

    where: tuple[str, str]
    width: int
    height: int
    frames: int
    rate: Fraction
    engine: str
    settings: tuple[tuple[str, object], ...]
    depth: bool
    jobs: tuple[int, int]


class Estimate:
    """``sentences`` for the artist of the take that ``show`` was last told of; ``error``, why the
    job would be refused. Both empty until the server has answered."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.error: RecamError | None = None
        self._of: StripMark | None = None
        self._wanted = 0.0
        self._question: Question | None = None
        self._answer: Future | None = None
        self._asked = False
        self._again = 0.0

    def show(self, strip: bpy.types.Strip, scene: bpy.types.Scene) -> None:
        """Somebody draws what a re-shoot of the strip would take."""
        self._wanted = monotonic()
        self._of = mark(strip, scene)

    def tick(self) -> float | None:
        """Do a little; the seconds until the next tick, None once nobody looks."""
        if monotonic() - self._wanted > FORGOTTEN_SECONDS:
            self._forget(None)
            return None
        try:
            check_reachable(address())
            question = _question(self._of)
        except RecamError:  # of the address, or a strip that is gone: others say so
            question = None
        if question != self._question:  # it is asked once it has stayed the same for a tick
            self._forget(question)
        elif self._answer is not None:
            if self._answer.done():
                self._take_answer()
        elif question is not None and (not self._asked or 0 < self._again < monotonic()):
            self._ask(question)
        return TICK_SECONDS

    def _forget(self, question: Question | None) -> None:
        # Of the same take what was said stays until it is known better: panels below keep still.
        same = question and self._question and replace(self._question, jobs=question.jobs)
        if not same or same != question:
            self.sentences, self.error = [], None
        self._question, self._answer = question, None
        self._asked, self._again = False, 0.0

    def _ask(self, question: Question) -> None:
        self._asked = True
        try:
            self._answer = session.client().estimate(
                question.width,
                question.height,
                question.frames,
                question.rate,
                question.engine,
                dict(question.settings),
                question.depth,
            )
        except RecamError:  # of keys or address: the panel “Server” says what
            self._again = monotonic() + AGAIN_SECONDS

    def _take_answer(self) -> None:
        answer, self._answer, self._again = self._answer, None, 0.0
        self.sentences, self.error = [], None
        try:
            self.sentences = answer.result()["sentences"]
        except CancelledError:  # the connection was made anew
            self._asked = False
        except RecamError as error:
            if error.code in NO_ANSWER:
                self._again = monotonic() + AGAIN_SECONDS
            else:
                self.error = error


def _question(marked: StripMark) -> Question | None:
    """What to ask for the strip; None where it shows nothing. Raises as ``find_strip`` does.

    No file is looked at: that may take its time.
    """
    strip, scene = find_strip(marked), find(bpy.data.scenes, marked.scene, "scene")
    if strip.type not in KINDS:
        return None
    settings = scene.recam
    if looks_untouched(strip, scene):
        width, height = picture_of(strip)
    else:
        rect = rendered_rect(strip, scene)
        width, height = int(rect.width), int(rect.height)
    if not (width and height):
        return None
    return Question(
        (address(), server_key()),
        width,
        height,
        len(clip_frames(strip, scene, settings.handles)),
        scene_rate(scene),
        settings.engine,
        tuple(model_settings(settings).items()),
        settings.geometry is not None,
        (len(running.jobs), sum(job.running for job in running.jobs)),
    )


estimate = Estimate()


def show(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Estimate:
    """Somebody draws what a re-shoot of the strip would take; what is known of it so far."""
    estimate.show(strip, scene)
    if not bpy.app.background and not bpy.app.timers.is_registered(_drive):
        bpy.app.timers.register(_drive, persistent=True)
    return estimate


def _drive() -> float | None:
    before = estimate.sentences, estimate.error
    delay = estimate.tick()
    if (estimate.sentences, estimate.error) != before:
        redraw()
    return delay


def register() -> None:
    """Nothing is asked before somebody wants to know."""


def unregister() -> None:
    if bpy.app.timers.is_registered(_drive):
        bpy.app.timers.unregister(_drive)
