"""A release: a folder of weights in the public layout."""

from __future__ import annotations

from pathlib import Path

from shared.folders import state_folder

WAN = "Wan-AI/Wan2.1-T2V-1.3B"

# The files of the public ReCamMaster release, relative to the releases folder.
RECAMMASTER_FILES = (
    f"{WAN}/diffusion_pytorch_model.safetensors",
    f"{WAN}/Wan2.1_VAE.pth",
    f"{WAN}/models_t5_umt5-xxl-enc-bf16.pth",
    f"{WAN}/google/umt5-xxl/spiece.model",
    "ReCamMaster/checkpoints/step20000.ckpt",
)


def default_releases() -> Path:
    """Where weights lie unless something else is said."""
    return state_folder() / "releases"


def missing_from_release(releases: Path) -> list[str]:
    """Files of the public release that are not in ``releases``; empty when it is complete."""
    return [name for name in RECAMMASTER_FILES if not (releases / name).is_file()]
