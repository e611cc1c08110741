"""The ReCamMaster engine: a job from settings and frames to takes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np

from inference_server.engines.base import Cancelled, Clip, OnProgress, Rendering, ShouldStop
from inference_server.engines.projection import ProjectionEngine
from inference_server.model.coder_memory import working_memory
from inference_server.model.prompts import NEGATIVE_PROMPT, PromptEmbedder
from inference_server.model.tiling import Tiling
from inference_server.releases.choice import choose_release
from inference_server.releases.layout import Release, fingerprint, part_files
from inference_server.releases.modules import (
    load_text_encoder,
    load_tokenizer,
    load_transformer,
    load_vae,
)
from shared.cameras.trajectory import Trajectory
from shared.errors import RecamError
from shared.folders import state_folder

from .device import pick_device, pick_dtype
from .job import Job, plan_job
from .memory import (
    GIB,
    Needs,
    cache_bytes,
    choose_mode,
    denoising_bytes,
    free_bytes,
    pass_operations,
    refuse_without_fused,
    weights_of,
)
from .networks import Networks, give_back
from .picture import WHOLE
from .settings import Settings
from .shortcuts import Shortcuts, calibrated
from .stepping_down import StepDown, is_out_of_memory
from .takes import CACHED_WINDOWS, Takes
from .work import Work

log = logging.getLogger(__name__)

CPU_SPEED = 5e11  # operations a second, of a good one
SLOW_HOURS = 0.5


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
        on_progress: OnProgress = lambda step, steps, doing="", remarks=(): None,
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
        needs = self._needs(networks, job, cache)
        networks.mode = choose_mode(wanted.memory, needs, networks.room())
        needed = needs.of(networks.mode) / GIB
        said = f"The job is reckoned to need {needed:.1f} GiB on {self._device}: {networks.mode}."
        log.info(said)
        slow = _slow(networks, job) if self._device.type == "cpu" else ""
        work.doing("reading the clip", [*prompts.remarks, said, *([slow] if slow else [])])
        remarks: list[str] = []
        takes = Takes(
            job,
            clip,
            networks,
            contexts,
            self._start(clip, source_camera, job),
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
            frames = _reporting_memory(takes.frames(seed), networks, report)
            yield Rendering(*job.framing.take, frames, report, remarks)

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

    def _needs(self, networks: Networks, job: Job, cache: float) -> Needs:
        """What the job needs on the device. Raises RecamError ``attention_missing``."""
        config, (height, width) = dict(networks.transformer.config), job.grid
        latents = max(len(window.slots) for shot in job.shots for window in shot.plan.windows)
        size = latents, height, width, self._dtype
        if not networks.kernel.fused:
            refuse_without_fused(config, *size, free_bytes(self._device))
        tiling = Tiling() if job.settings.tiling == "public" else None
        kept = 0
        if cache:
            counts = [len(shot.plan.windows) for shot in job.shots]
            windows = max((n for n in counts if n <= CACHED_WINDOWS), default=0)
            kept = cache_bytes(config, windows, 1 + job.settings.guided, *size)
        return Needs(
            weights_of(networks.transformer),
            weights_of(networks.transformer.blocks[0]),
            weights_of(networks.vae),
            denoising_bytes(config, *size) + kept,
            working_memory(networks.vae, height * 8, width * 8, tiling, self._dtype),
        )

    def _start(self, clip: Clip, source_camera: Trajectory, job: Job):
        """What denoising starts from, if from anything but noise, and how it meets the model."""
        start = job.settings.start_clip
        if start is not None:
            if not np.allclose(job.lens.crops, WHOLE):
                raise RecamError(
                    "start_clip",
                    "A former take cannot be started from through a longer lens: it would be "
                    "enlarged twice.",
                    "Give the trajectory the clip's lens, and crop the take afterwards.",
                )
            # Its frame lies where the clip's does, whatever its own size.
            return start, replace(job.framing, clip=(start.width, start.height))
        if job.settings.start == "projection":
            return _Projected(clip, source_camera, job), job.framing
        return None


def _heed(should_stop: ShouldStop) -> None:
    if should_stop():
        raise Cancelled


def _reporting_memory(frames, networks: Networks, report: dict) -> Iterator[np.ndarray]:
    yield from frames
    report["memory"] = networks.mode  # it may have stepped down on the way


class _Projected:
    """The clip as the projection engine shows it along the job's path, through the clip's lens."""

    def __init__(self, clip: Clip, source_camera: Trajectory, job: Job) -> None:
        self.width, self.height, self.frames, self.rate = (
            clip.width,
            clip.height,
            clip.frames,
            clip.rate,
        )
        path = Trajectory(job.lens.poses, job.lenses, source_camera.rate)
        settings = {"subject_distance": job.settings.subject_distance}
        if job.settings.depth is not None:
            settings["depth"] = job.settings.depth
        self._given = (clip, source_camera, path, settings)

    def __iter__(self):
        quiet = lambda *_: None  # noqa: E731
        return next(iter(ProjectionEngine().render(*self._given, quiet, lambda: False))).frames


def _slow(networks: Networks, job: Job) -> str:
    """What a person should know who has no GPU, reckoned from the operations; empty if little."""
    config, (height, width) = networks.transformer.config, job.grid
    latents = len(job.shots[0].plan.windows[0].slots)
    passes = job.passes * (1 + job.settings.guided)
    hours = passes * pass_operations(config, latents, height, width) / CPU_SPEED / 3600
    if hours < SLOW_HOURS:
        return ""
    return (
        f"No GPU was found: on a CPU this job takes some {hours:,.0f} hours. The engine projection "
        "gives a preview at once."
    )
