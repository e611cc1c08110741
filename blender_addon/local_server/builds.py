"""What the local server can be installed with. Knows no Blender."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass

TORCH = "torch>=2.10"  # as in Recam's own requirements
PACKAGE_INDEX = "the Python package index (or the one that your pip is set to)"
TORCH_SITE = "https://download.pytorch.org/whl"


@dataclass(frozen=True)
class Build:
    """One choice: a title and a sentence for the artist.

    download, disk: gigabytes, about. model: whether it can run the model at all.
    torch_index: where its PyTorch is fetched from; empty for the usual package index.
    """

    name: str
    title: str
    sentence: str
    download: float
    disk: float
    model: bool = True
    torch_index: str = ""
    systems: tuple[str, ...] = ("linux", "win32")

    @property
    def sources(self) -> tuple[str, ...]:
        """Where it is fetched from, in words; the last may be a site."""
        site = TORCH_SITE.removeprefix("https://").partition("/")[0]
        return (PACKAGE_INDEX, site) if self.torch_index else (PACKAGE_INDEX,)


BUILDS = (
    Build(
        "projection",
        "Projection Only",
        "Camera projection, on any machine; the model can be added later",
        0.12,
        0.4,
        model=False,
        systems=("linux", "win32", "darwin"),
    ),
    Build(
        "cuda",
        "Model, NVIDIA Card",
        "ReCamMaster on an NVIDIA card from 2018 on, with a driver that knows CUDA 12.8",
        4.0,
        8.0,
        torch_index=f"{TORCH_SITE}/cu128",
    ),
    Build(
        "rocm",
        "Model, AMD Card",
        "ReCamMaster on an AMD card that ROCm 7.1 supports",
        5.0,
        16.0,
        torch_index=f"{TORCH_SITE}/rocm7.1",
        systems=("linux",),
    ),
    Build(
        "mac", "Model, Apple Chip", "ReCamMaster on an Apple chip", 0.5, 1.5, systems=("darwin",)
    ),
    Build(
        "cpu",
        "Model, Processor Only",
        "ReCamMaster without a card: hours for a few seconds",
        0.6,
        2.0,
        torch_index=f"{TORCH_SITE}/cpu",
    ),
)


def builds() -> list[Build]:
    """Those for this machine's system. An Intel Mac has no PyTorch that is new enough."""
    old_mac = sys.platform == "darwin" and platform.machine() != "arm64"
    return [b for b in BUILDS if sys.platform in b.systems and not (b.model and old_mac)]


def build(name: str) -> Build:
    """The build of that name; of one that only another version of the add-on knows, its name."""
    known = {each.name: each for each in BUILDS}
    return known.get(name) or Build(name, title=name, sentence="", download=0.0, disk=0.0)


def likely(before: str = "") -> str:
    """The name of the build to offer: ``before`` if it is still one for this machine's system.

    Else the one that fits this machine, as far as can be told from outside.
    """
    names = [each.name for each in builds()]
    if before in names:
        return before
    for name, tool in (("cuda", "nvidia-smi"), ("rocm", "rocminfo")):
        if name in names and shutil.which(tool):
            return name
    return "mac" if "mac" in names else "projection"


def pip_steps(chosen: Build, wheel: str) -> list[tuple[str, list[str]]]:
    """What is done, in words, and pip's arguments for it. wheel: the path of Recam's own."""
    steps = []
    if chosen.torch_index:
        # First and by itself: the usual index has another build under the same name.
        arguments = ["install", "--index-url", chosen.torch_index, TORCH]
        steps.append(("Fetching PyTorch", arguments))
    recam = f"{wheel}[model]" if chosen.model else wheel
    return [*steps, ("Fetching Recam's packages", ["install", "--upgrade", recam])]


def words_for(gigabytes: float) -> str:
    """A size in words."""
    return f"{gigabytes:.0f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"
