"""What the artist may ask of the ReCamMaster engine: names, defaults, ranges. Knows no torch.

Each setting travels on its own as a plain value, so that a job carries only those that differ
from the defaults. The table of docs/settings.md is made of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, fields
from typing import Any

from shared.errors import RecamError

from .kinds import flag, number, one_of, size, text, whole


@dataclass(frozen=True)
class Settings:
    """All settings of one job; made by ``of``. Lengths of clips are in latents: 4 frames each."""

    prompt: str = text("", "what the take shows, in a few sentences")
    negative_prompt: str | None = text(
        None, "what it must not show; left out, the model's own list of flaws"
    )
    takes: int = whole(1, 1, 16, "how many takes, each of the next seed")
    seed: int = whole(0, 0, 2**32 - 1, "which noise the first take begins with")
    quality: str = one_of(
        "exact",
        "fast",
        about="fast sets solver, steps and guidance_share as calibrated, which shows a little",
    )
    steps: int = whole(50, 1, 1000, "denoising steps")
    guidance: float = number(5.0, 1, 30, "how closely the prompt is followed; 1 is off, and fast")
    guidance_share: float = number(
        1.0, 0, 1, "the part of the steps that are guided, from the first"
    )
    shift: float = number(5.0, 0.1, 100, "how much of the steps goes to the coarse; more is more")
    solver: str = one_of("euler", "unipc", about="how a step is taken; unipc needs fewer")
    round_time_step: bool = flag(True, "the time step in bfloat16, as the public weights know it")
    framing: str = one_of(
        "fit",
        "fill",
        "crop",
        about="the model sees the whole frame (fit), or its middle, which a blur surrounds in the "
        "take (fill) or which is all of the take (crop)",
    )
    size: str = size("the size that the model renders at, in multiples of 16")
    scale_up: str = one_of(
        "lanczos", "cubic", "linear", about="the filter from the model's size to the clip's"
    )
    every: int = whole(1, 1, 8, "render every n-th frame, the others are interpolated")
    cuts: str = one_of(
        "separate",
        "refuse",
        "ignore",
        about="a cut inside the clip: a shot of its own, an error, or not looked for",
    )
    short: str = one_of(
        "hold",
        "public",
        about="a clip below 81 frames: its last frame held to 81, or to the next 4k + 1",
    )
    overlap: int = whole(5, 1, 10, "latents that two windows of a long clip share")
    anchor: bool = flag(True, "a latent before each later window, thrown away: a cleaner start")
    reference: str = one_of(
        "source",
        "trajectory",
        about="what the path is told against: the source camera, as the model was trained, or the "
        "path's own first pose, as the public script does",
    )
    lens: str = one_of(
        "refuse", "outpaint", about="a shorter lens than the clip's: an error, or a step back"
    )
    source: str = one_of(
        "clip",
        "first_frame",
        "noise",
        about="what the model sees of the clip; the public weights were trained for clip alone",
    )
    start: str = one_of(
        "none",
        "projection",
        "take",
        about="what the noise is laid over; take is a video sent along",
    )
    denoising_strength: float = number(
        1.0, 0.01, 1, "how far the start is dissolved in noise; at 1 nothing is left of it"
    )
    memory: str = one_of(
        "auto",
        "resident",
        "offload",
        "streamed",
        about="what lies on the card; auto goes by its room",
    )
    tiling: str = one_of("public", "none", about="encode and decode in the public tiles, or whole")
    release: str = text("", "which weights, by name; left out, the first that is found")

    # What comes along with the settings of a job, not as one of them.
    subject_distance: float = 4.0
    depth: Callable | None = None
    start_clip: Any = None

    @classmethod
    def of(cls, values: dict) -> Settings:
        """The settings of a job, the rest at their defaults.

        values: what the job's request has, and what came along with it, which is not looked at
        here: ``subject_distance``, metres from the source camera; ``depth``, as the projection
        engine takes it; ``start_clip``, a Clip of as many frames, which makes ``start`` a take.
        Raises RecamError ``setting`` for a name that is not known, a value that is not taken, and
        values that contradict each other.
        """
        check(values, also=_ALONG)
        if values.get("start_clip") is not None:
            values = {"start": "take", **values}
        settings = cls(**values)
        settings._refuse_contradictions()
        return settings

    @property
    def guided(self) -> bool:
        """Whether any step needs the negative prompt."""
        return self.guidance != 1 and self.guidance_share > 0

    @property
    def seeds(self) -> range:
        """The seed of each take."""
        return range(self.seed, self.seed + self.takes)

    def _refuse_contradictions(self) -> None:
        own = [
            n
            for n in ("steps", "solver", "guidance_share")
            if getattr(self, n) != _FIELDS[n].default
        ]
        if self.quality == "fast" and own:
            raise _wrong(
                f"quality is fast, which sets {own[0]} by itself, but {own[0]} was given too.",
                "Leave it out, or choose the quality exact.",
            )
        if self.start == "take" and self.start_clip is None:
            raise _wrong("start is take, but no video to start from was sent.", "Send one along.")
        if self.start != "take" and self.start_clip is not None:
            raise _wrong(
                f"A video to start from was sent, but start is {self.start}.", "Leave start out."
            )
        if self.start == "none" and self.denoising_strength < 1:
            raise _wrong(
                f"denoising_strength is {self.denoising_strength:g}, but there is nothing to start "
                "from.",
                "Set start to projection, or send a take along.",
            )
        if self.start != "none" and self.denoising_strength == 1:
            raise _wrong(
                f"start is {self.start}, but at a denoising_strength of 1 nothing is left of it.",
                "Set denoising_strength below 1, such as 0.8.",
            )


_FIELDS = {field.name: field for field in fields(Settings)}
NAMES = tuple(name for name, field in _FIELDS.items() if field.metadata)
_ALONG = _FIELDS.keys() - NAMES


def check(values: dict, also: Set[str] = frozenset()) -> None:
    """RecamError ``setting`` for a value that is not taken, or a name not in NAMES or ``also``."""
    for name, value in values.items():
        if name in also:
            continue
        if name not in NAMES:
            raise _wrong(
                f"ReCamMaster has no setting named {name!r}.", f"It knows {', '.join(NAMES)}."
            )
        facts = _FIELDS[name].metadata
        if not facts["right"](value):
            shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}…"
            raise _wrong(f"The setting {name} is {shown}.", f"It takes {facts['takes']}.")


def about(name: str) -> str:
    """What a setting is for, and what it takes."""
    facts = _FIELDS[name].metadata
    return f"{facts['about']} ({facts['takes']}; default {_shown(name) or 'none'})"


def parse(name: str, text: str) -> str | int | float | bool:
    """The value that ``text`` stands for, as it travels. Raises RecamError ``setting``."""
    default = _FIELDS[name].default if name in NAMES else None
    value: str | int | float | bool = text
    try:
        if isinstance(default, bool):
            value = {"true": True, "false": False}.get(text.lower(), text)
        elif isinstance(default, int | float):
            value = type(default)(text)
    except ValueError:
        pass  # the check names it
    check({name: value})
    return value


def table() -> str:
    """The table of docs/settings.md."""
    rows = ["| setting | takes | default | |", "| --- | --- | --- | --- |"]
    for name in NAMES:
        facts, shown = _FIELDS[name].metadata, _shown(name)
        default = f"`{shown}`" if shown else ""
        rows.append(f"| `{name}` | {facts['takes']} | {default} | {facts['about']} |")
    return "\n".join(rows) + "\n"


def _shown(name: str) -> str:
    default = _FIELDS[name].default
    return "" if default is None else str(default).lower()


def _wrong(sentence: str, hint: str) -> RecamError:
    return RecamError("setting", sentence, hint)
