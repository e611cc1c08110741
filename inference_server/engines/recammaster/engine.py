"""The ReCamMaster engine: a job from settings and frames to takes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np

from inference_server.engines.base import Cancelled, Clip, OnProgress, Rendering, ShouldStop
from inference_server.model.prompts import NEGATIVE_PROMPT, PromptEmbedder
from inference_server.releases.choice import choose_release
from inference_server.releases.layout import Release, fingerprint, part_files
from inference_server.releases.modules import (
    load_text_encoder,
    load_tokenizer,
    load_transformer,
    load_vae,
)
from shared.cameras.trajectory import Trajectory
from shared.folders import state_folder

from .device import device_name, pick_device, pick_dtype
from .job import plan_job
from .memory import GIB, choose_mode, free_bytes
from .networks import Networks, give_back
from .reckoning import needs_of, pace_of, slowness, work_of
from .settings import Settings
from .shortcuts import Shortcuts, calibrated
from .start import start_of
from .stepping_down import HOW, StepDown, is_out_of_memory
from .takes import Takes
from .work import Work

log = logging.getLogger(__name__)


class ReCamMasterEngine:
    """Re-renders a clip with the video model. Keeps the networks of the last job loaded.

    releases: the folder with the weights. device: ``auto``, or as PyTorch names it.
    """

    name = "recammaster"
    settings = frozenset(field.name for field in fields(Settings))

    def __init__(self, releases: Path, device: str = "auto") -> None:
        self._releases = releases
        self._device = pick_device(device)
        self._dtype = pick_dtype(self._device)
        self._cramped = self._device.type == "cpu"
        self._loaded: tuple[Release, Networks, PromptEmbedder] | None = None
        self._loaded_from: tuple[Release, str] | None = None

    def render(
        self,
        clip: Clip,
        source_camera: Trajectory,
        trajectory: Trajectory,
        settings: dict,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> Iterator[Rendering]:
        """One rendering for each take. settings: see ``Settings``.

        The report of each: ``seed``, ``release``, ``sampling`` (steps and solver),
        ``memory_estimate`` (GiB), ``memory`` (the mode it ended in), ``attention`` (the kernel),
        ``model_size``, and ``camera``: the vectors ``(latents, 12)`` that the model was given for
        the first window.
        Raises RecamError for settings, sizes, lenses, cuts and weights that cannot be used, and
        ``memory_short``, ``attention_missing``, ``result_broken``, ``not_calibrated``.
        """
        wanted, cache = Settings.of(settings), 0.0
        if wanted.quality == "fast":
            shortcuts = calibrated(self.release(wanted.release))
            wanted, cache = shortcuts.applied(wanted), shortcuts.cache
        yield from self.takes(
            clip, source_camera, trajectory, wanted, cache, on_progress, should_stop
        )

    def takes(
        self,
        clip: Clip,
        source_camera: Trajectory,
        trajectory: Trajectory,
        wanted: Settings,
        cache: float = 0.0,
        on_progress: OnProgress = lambda step, steps, doing="", remarks=(), picture=None: None,
        should_stop: ShouldStop = lambda: False,
    ) -> Iterator[Rendering]:
        """As ``render``, with settings as they stand. cache: the step cache's threshold, or 0."""
        if wanted.cuts != "ignore":
            on_progress(0, 0, "looking for cuts")
        job = plan_job(clip, source_camera, trajectory, wanted, should_stop)
        work = Work(job, on_progress)
        work.doing("loading the weights", job.remarks)
        release, networks, prompts = self._load(wanted.release)
        networks.load()
        _heed(should_stop)
        work.doing("reading the prompt")
        contexts = self._contexts(prompts, wanted)
        _heed(should_stop)
        needs = needs_of(networks, job, cache)
        networks.mode = choose_mode(wanted.memory, needs, networks.room())
        needed = needs.of(networks.mode) / GIB
        least = max(needed, 0.1)  # of what is told
        where = f"on the {device_name(self._device)}, {HOW[networks.mode]}"
        said = f"The job is reckoned to need {least:.1f} GiB {where}."
        log.info(said)
        operations = work_of(networks, job)
        slow = slowness(self._device, operations)
        work.doing("reading the clip", [*prompts.remarks, said, *slow])
        remarks: list[str] = []
        takes = Takes(
            job,
            clip,
            networks,
            contexts,
            start_of(clip, source_camera, job),
            StepDown(networks, needs, remarks, cache),
            work,
            should_stop,
        )
        sampling = Shortcuts(wanted.solver, wanted.steps, wanted.guidance_share, cache)
        for seed in wanted.seeds:
            report = {
                "seed": seed,
                "release": release.name,
                "sampling": str(sampling),
                "memory_estimate": round(needed, 2),
                "attention": networks.kernel.name,
                "model_size": "{} x {}".format(*job.framing.model),
                "camera": job.shots[0].cameras[0][0].tolist(),
            }
            if job.framing.unseen_share:
                report["unseen_share"] = job.framing.unseen_share
            made = Rendering(*job.framing.take, iter(()), report, remarks)
            made.work = operations / wanted.takes
            made.frames = _telling(made, takes.frames(seed), networks, cache)
            yield made

    def _load(self, name: str) -> tuple[Release, Networks, PromptEmbedder]:
        release = self.release(name)
        loaded = release, fingerprint(release, *release.files)  # which changes under the same name
        if self._loaded is None or self._loaded_from != loaded:
            self._loaded, self._loaded_from = None, loaded
            give_back(self._device)
            networks = Networks(
                partial(load_transformer, release),
                partial(load_vae, release),
                self._device,
                self._dtype,
            )
            prompts = PromptEmbedder(
                partial(load_tokenizer, release),
                partial(self._text_encoder, release),
                state_folder() / "prompts",
                f"{fingerprint(release, 'text_encoder', 'tokenizer')} {self._dtype}",
                "cpu",
            )
            self._loaded = release, networks, prompts
        return self._loaded

    def release(self, name: str) -> Release:
        """The release of that name; see ``choose_release``."""
        return choose_release(self._releases, name)

    def _text_encoder(self, release: Release):
        """On the device where it finds room beside all that is there, else on the CPU."""
        size = sum(file.stat().st_size for file in part_files(release.files["text_encoder"]))
        free = free_bytes(self._device)
        roomy = not self._cramped and free is not None and free > 1.2 * size
        return load_text_encoder(release, self._dtype, self._device if roomy else "cpu")

    def _contexts(self, prompts: PromptEmbedder, settings: Settings):
        """The prompt's and, if anything is guided, the negative prompt's rows ``(1, 512, dim)``."""
        negative = settings.negative_prompt
        texts = [settings.prompt, NEGATIVE_PROMPT if negative is None else negative]
        try:
            rows = prompts.embed_all(texts[: 1 + settings.guided])
        except Exception as error:
            if self._cramped or not is_out_of_memory(error):
                raise
            self._cramped = True  # from now on the encoder stays off the device
            return self._contexts(prompts, settings)
        return rows[0], rows[1] if settings.guided else None


def _heed(should_stop: ShouldStop) -> None:
    if should_stop():
        raise Cancelled


def _telling(made: Rendering, frames, networks: Networks, cache: float) -> Iterator[np.ndarray]:
    yield from frames
    made.report["memory"] = networks.mode  # it may have stepped down on the way
    made.pace = pace_of(networks.device, networks.mode, cache)
