"""Which engines there are, which of them can run here, and which one ``auto`` takes."""

from __future__ import annotations

import errno
import importlib.util
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from shared import engines
from shared.errors import RecamError

from ..releases.choice import choose_release
from ..releases.layout import children, default_releases, missing_parts, releases_in
from .base import Engine
from .recammaster.settings import Settings, check

# Seconds that an engine may take to heed a cancel. ReCamMaster does between two passes of the
# model, and once weights are loaded: whoever kills it sooner has all of them loaded anew.
HEED_SECONDS = {"recammaster": 60.0, "projection": 2.0}

# Seconds that a worker at a job may go without a sign of life: a word on its progress, or a look
# whether it is to stop. Longer where a network is read from a slow disk, or compiled, in one go.
PATIENCE_SECONDS = {
    "recammaster": {
        "": 300.0,
        "loading the weights": 1800.0,
        "reading the prompt": 1800.0,  # its encoder is 23 GB
        "denoising": 900.0,  # the first pass compiles
    },
    "projection": {"": 180.0},
}

# Which engines share a worker process: previews have their own, and overtake what is long.
LANES = {"preview": ("projection",), "model": ("recammaster",)}


# What the system answers where it, or a disk, has its trouble for the moment: it tells nothing of
# the weights.
PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)


@dataclass(frozen=True)
class EngineStatus:
    """An engine, and whether it can run here.

    description: a sentence for the artist. reason: why it can, or cannot, run; told to every
    client, so without paths of this machine. passing: whether that cannot be told at the moment.
    """

    name: str
    description: str
    can_run: bool
    reason: str
    passing: bool = False


# Every engine, best first, with a sentence for the artist.
ENGINES = {name: sentence for name, _, sentence in engines.ENGINES}

# What the ReCamMaster engine is built on: module → what it is installed as.
PACKAGES = {
    "torch": "torch",
    "diffusers": "diffusers",
    "transformers": "transformers",
    "accelerate": "accelerate",
    "sentencepiece": "sentencepiece",
    "google.protobuf": "protobuf",
    "ftfy": "ftfy",
    "PIL": "pillow",
}


def engine_statuses(releases: Path) -> list[EngineStatus]:
    """Every engine, best first. ``releases``: the folder of weights. Imports no torch."""
    passing = False
    try:
        missing = _missing_for_recammaster(releases)
    except OSError as error:
        passing = error.errno in PASSING
        missing = f"its weights cannot be looked at ({error.strerror})."
    return [
        EngineStatus(
            "recammaster",
            ENGINES["recammaster"],
            not missing,
            missing or "its weights are in place.",
            passing,
        ),
        EngineStatus("projection", ENGINES["projection"], True, "it runs on any processor."),
    ]


def choose(name: str, statuses: list[EngineStatus]) -> tuple[str, str]:
    """The engine for a request, and the reason in a sentence for the artist.

    ``auto`` takes the best that can run. Raises RecamError ``engine_unknown``,
    ``engine_unavailable``, and ``server_disk`` where that cannot be told at the moment.
    """
    by_name = {status.name: status for status in statuses}
    if name == "auto":
        best = next(status for status in statuses if status.can_run)
        better = statuses[: statuses.index(best)]
        _check_told(better)
        because = " ".join(f"{s.name} cannot run: {s.reason}" for s in better)
        return best.name, f"{best.description} {because}".strip()
    check_name(name)
    _check_told([by_name[name]])
    if not by_name[name].can_run:
        raise RecamError(
            "engine_unavailable",
            f"The engine {name} cannot run: {by_name[name].reason}",
            "`auto` takes the best engine that can run.",
        )
    return name, by_name[name].description


def _check_told(statuses: list[EngineStatus]) -> None:
    for status in statuses:
        if status.passing:
            raise RecamError(
                "server_disk",
                f"Whether the engine {status.name} can run is not known: {status.reason}",
                "Jobs wait until it is; the server tries again.",
            )


def patience(engine: str, doing: str = "") -> float:
    """Seconds that a worker may say nothing while its engine does this; see PATIENCE_SECONDS."""
    stated = PATIENCE_SECONDS[engine]
    return stated.get(doing, stated[""])


def check_name(name: str) -> None:
    """RecamError ``engine_unknown`` unless ``name`` is ``auto`` or an engine's."""
    if name != "auto" and name not in ENGINES:
        raise RecamError(
            "engine_unknown",
            f"There is no engine named {name!r}.",
            f"Choose one of: auto, {', '.join(ENGINES)}.",
        )


def check_settings(settings: dict, start: object = None) -> None:
    """RecamError ``setting`` unless an engine could take these settings of a request.

    start: whatever stands for the video to start from, None without one.
    """
    check(settings)
    Settings.of({**settings, "start_clip": start})


def check_release(name: str, settings: dict, releases: Path) -> None:
    """RecamError ``weights_missing`` where a request names weights that are not there.

    name: of the engine, or ``auto``. Looks at the disk where weights are named.
    """
    if wanted := settings.get("release"):
        status = engine_statuses(releases)[0]
        if name in ("auto", status.name) and status.can_run:
            choose_release(releases, wanted)


@cache
def load(name: str, releases: Path | None = None) -> Engine:
    """The engine, ready to render; one for the whole process, which keeps what it has loaded.

    releases: the folder of weights, by default the user's own.
    """
    if name == "recammaster":
        from .recammaster.engine import ReCamMasterEngine

        return ReCamMasterEngine(releases or default_releases())
    from .projection import ProjectionEngine

    return ProjectionEngine()


def as_body(statuses: list[EngineStatus]) -> list[dict]:
    """The engines as ``server.info`` tells them."""
    return [
        {name: value for name, value in asdict(status).items() if name != "passing"}
        for status in statuses
    ]


def _missing_for_recammaster(releases: Path) -> str:
    """In words; OSError where the system is short of something and it cannot be told."""
    if importlib.util.find_spec(f"{__package__}.recammaster.engine") is None:
        return "this version of Recam does not contain it yet."
    if lacking := [package for module, package in PACKAGES.items() if not _is_there(module)]:
        return f"not installed: {', '.join(lacking)} (pip install '.[model]' in Recam's folder)."
    unread: list[OSError] = []
    if releases_in(releases, unread):
        return ""
    for error in unread:
        if error.errno in PASSING:
            raise error
    if not children(releases):
        return "it has no weights; `recam weights install`, where the server runs, fetches them."
    missing = missing_parts(releases)
    told = f"its weights are not complete, {missing[0]} is missing; " if missing else ""
    return told and told + "`recam weights list`, where the server runs, tells more."


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it would be in
        return False
