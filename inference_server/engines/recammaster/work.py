"""How far a job is, counted in units of about equal time."""

from __future__ import annotations

from collections.abc import Iterable

from inference_server.engines.base import MakePicture, OnProgress

from .job import Job

# One pass of both prompts is worth so many latents encoded or frames decoded, roughly, at any
# size: measured operations of Wan2.1's networks at 832 x 480.
LATENT, PASS, FRAME = 2, 200, 1


def coding_units(job: Job) -> int:
    """Units of encoding and decoding; the rest is passes."""
    encoded = sum(shot.plan.latents for shot in job.shots)
    decoded = sum(len(shot.kept) for shot in job.shots)
    read = (job.settings.source != "noise") + (job.settings.start != "none")
    return LATENT * encoded * read + FRAME * decoded * job.settings.takes


class Work:
    """Counts what is done of a job and tells it."""

    def __init__(self, job: Job, on_progress: OnProgress) -> None:
        self._all = PASS * job.passes + coding_units(job)
        self._done, self._on_progress = 0, on_progress

    def doing(self, what: str, remarks: Iterable[str] = ()) -> None:
        """Something that is not counted, and sentences for the artist, said once."""
        self._on_progress(self._done, self._all, what, remarks)

    def coded(self, what: str) -> None:
        """One latent more is encoded."""
        self._add(LATENT, what)

    def passed(self, what: str, picture: MakePicture | None = None) -> None:
        """One window more of one step is denoised. picture: of what it looks like now."""
        self._add(PASS, what, picture)

    def decoded(self, what: str) -> None:
        """One frame more is decoded."""
        self._add(FRAME, what)

    def _add(self, units: int, what: str, picture: MakePicture | None = None) -> None:
        # What is done again after a shortage of memory must not count beyond the whole.
        self._done = min(self._done + units, self._all)
        self._on_progress(self._done, self._all, what, picture=picture)
