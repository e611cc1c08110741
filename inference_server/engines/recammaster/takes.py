"""One take after the other of a planned job: encode, denoise, decode, shot by shot."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice

import numpy as np
import torch

from inference_server.engines.base import Cancelled, Clip, ShouldStop
from inference_server.model.coder import to_uint8
from inference_server.model.schedule import Schedule, make_schedule, mix_noise
from inference_server.model.tiling import Tiling

from .heeding import heeding
from .job import Job, PlannedShot
from .networks import Networks
from .picture import Framing
from .preview import Preview
from .rates import in_between
from .sampling import Guidance, check_finite, denoise
from .shots import decode_shot, encode_shot, shot_noise, without_clip
from .stepping_down import StepDown
from .work import Work

CACHED_WINDOWS = 4


class Takes:
    """The takes of one job.

    contexts: the prompt's and the negative prompt's rows, the latter None without guidance.
    start: frames that denoising starts from, as large as ``start_framing`` knows, or None.
    memory: what steps down when memory runs out. A step cache keeps more for every window, so
    that a shot of more than a few goes without.
    What the clip's frames were encoded to is kept for the next take, if there is one.
    """

    def __init__(
        self,
        job: Job,
        clip: Clip,
        networks: Networks,
        contexts: tuple[torch.Tensor, torch.Tensor | None],
        start: tuple[Clip, Framing] | None,
        memory: StepDown,
        work: Work,
        should_stop: ShouldStop,
    ) -> None:
        self._job, self._networks, self._contexts = job, networks, contexts
        self._memory, self._work, self._should_stop = memory, work, should_stop
        self._clip = _Rows(clip, job.framing)
        self._start = _Rows(*start) if start else None
        self._tiling = Tiling() if job.settings.tiling == "public" else None
        self._preview = Preview()

    def frames(self, seed: int) -> Iterator[np.ndarray]:
        """The take of ``seed``, ``(H, W, 3)`` uint8 in the take's size, every frame of the clip.

        Raises RecamError ``result_broken`` and ``memory_short``, Cancelled when told to stop.
        """
        for number, shot in enumerate(self._job.shots):
            latents = shot_noise(shot.plan, *self._job.grid, seed)
            source = latents  # of which only the size counts where the model gets no clip
            if self._job.settings.source != "noise":
                source = self._encoded(self._clip, number, shot, "reading the clip")
            source = without_clip(source, self._job.settings.source, seed)
            if self._start:
                start = self._encoded(self._start, number, shot, "reading the start")
                latents = mix_noise(start, latents, self._schedule().first_level)
            clean = self._memory.run(lambda s=shot, c=source, x=latents: self._denoised(s, c, x))
            # Closed before the next shot, whose denoising needs the memory.
            with closing(self._decoded(clean, len(shot.kept))) as made:
                for index, frame in enumerate(in_between(made, shot.kept)):
                    yield self._job.framing.to_clip(frame, self._job.lens.crops[shot.first + index])

    def _schedule(self) -> Schedule:
        s = self._job.settings
        strength = s.denoising_strength if self._start else 1.0
        return make_schedule(s.steps, s.shift, strength, s.solver)

    def _encoded(self, rows: _Rows, number: int, shot: PlannedShot, doing: str) -> torch.Tensor:
        def encode() -> torch.Tensor:
            self._work.doing(doing)
            with self._networks.coding(self._tiling) as coder:
                return encode_shot(
                    coder,
                    self._preview.noting(rows.frames(shot)),
                    shot.plan,
                    lambda: self._work.coded(doing),
                    self._should_stop,
                )

        row = rows.kept.get(number)
        if row is None:
            row = self._memory.run(encode)
            self._preview.learn(row)
            if self._job.settings.takes > 1:
                rows.kept[number] = row
        return row

    def _denoised(self, shot: PlannedShot, source: torch.Tensor, latents: torch.Tensor):
        self._work.doing("denoising")
        settings = self._job.settings
        passes = len(shot.plan.windows) * settings.steps
        cache = self._memory.cache if len(shot.plan.windows) <= CACHED_WINDOWS else 0.0
        with (
            self._networks.denoising(passes, cache) as transformer,
            heeding(transformer, self._should_stop),
        ):
            return denoise(
                transformer,
                shot.plan,
                source,
                shot.cameras,
                self._contexts,
                latents,
                self._schedule(),
                Guidance(settings.guidance, settings.guidance_share),
                prepared=self._networks.prepared,
                round_time=settings.round_time_step,
                on_pass=lambda guess: self._work.passed("denoising", self._preview.of(guess)),
                should_stop=self._should_stop,
            )

    def _decoded(self, clean: torch.Tensor, count: int) -> Generator[np.ndarray]:
        """``(h, w, 3)`` uint8, ``count`` frames; after a shortage of memory from where it was."""
        given = 0
        while True:
            try:
                with self._networks.coding(self._tiling) as coder:
                    self._work.doing("writing the take")
                    for frame in islice(decode_shot(coder, clean), given, count):
                        if self._should_stop():
                            raise Cancelled
                        check_finite(frame)
                        picture = to_uint8(frame).permute(1, 2, 0).cpu().numpy()
                        # Counted when nothing of it can run out of memory any more.
                        given += 1
                        self._work.decoded("writing the take")
                        yield picture
                return
            except Exception as error:
                self._memory.after(error)


class _Rows:
    """A clip's frames for the model, read once as long as the shots are asked for in order.

    kept: what the shots were encoded to, by number.
    """

    def __init__(self, clip: Clip, framing: Framing) -> None:
        self.kept: dict[int, torch.Tensor] = {}
        self._clip, self._framing = clip, framing
        self._frames: Iterator[np.ndarray] = iter(())
        self._at: int | None = None

    def frames(self, shot: PlannedShot) -> Iterator[torch.Tensor]:
        """``(3, h, w)`` in [-1, 1], those of the shot that the model sees."""
        if self._at != shot.first:
            self._frames, self._at = islice(self._clip, shot.first, None), shot.first
        kept = set(shot.kept)
        for index, frame in enumerate(islice(self._frames, shot.count)):
            self._at += 1
            if index in kept:
                yield torch.from_numpy(self._framing.to_model(frame))
