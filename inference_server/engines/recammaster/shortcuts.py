"""What fast quality leaves out, and how much it was measured to cost: see ``recam calibrate``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from inference_server.releases.layout import Release, fingerprint
from shared.errors import RecamError
from shared.folders import state_folder

from .settings import Settings


@dataclass(frozen=True)
class Shortcuts:
    """solver, steps, guidance_share: in place of the settings'. cache: the step cache's threshold,
    the relative change of the first block below which a step repeats the last one; 0 for none.
    """

    solver: str
    steps: int
    guidance_share: float
    cache: float

    def applied(self, settings: Settings) -> Settings:
        """The settings with these in place of their own."""
        return replace(
            settings, solver=self.solver, steps=self.steps, guidance_share=self.guidance_share
        )

    def __str__(self) -> str:
        share = 100 * self.guidance_share
        guided = f", {share:.0f} % of them guided" if share < 100 else ""
        cached = f", cache {self.cache:g}" if self.cache else ""
        return f"{self.steps} {self.solver} steps{guided}{cached}"


# From the mildest on. UniPC is Wan's own solver; guidance matters most while the noise is strong.
CANDIDATES = [
    Shortcuts("unipc", steps, share, cache)
    for steps in (30, 20, 15)
    for share in (1.0, 0.6)
    for cache in (0.0, 0.05, 0.1)
]


def calibrated(release: Release) -> Shortcuts:
    """Those that were found good for the release. RecamError ``not_calibrated`` if none were."""
    try:
        kept = json.loads(_file(release).read_text())
        return Shortcuts(**kept["shortcuts"])
    except (OSError, ValueError, KeyError, TypeError):
        raise RecamError(
            "not_calibrated",
            f"Fast quality was never calibrated for the release {release.name} on this server.",
            "Run `recam calibrate CLIP` there once, or choose the quality exact.",
        ) from None


def keep(release: Release, shortcuts: Shortcuts, measured: dict) -> Path:
    """Keep what was found for the release, with the figures; returns the file."""
    file = _file(release)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"shortcuts": asdict(shortcuts), "measured": measured}, indent=2))
    return new.replace(file)


def _file(release: Release) -> Path:
    """Named after the very weights, so that others of the same name count as not calibrated."""
    mark = fingerprint(release, "transformer", "camera")
    return state_folder() / "calibrations" / f"{release.name}-{mark}.json"
