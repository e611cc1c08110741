"""The public files of ReCamMaster: where they lie on the hub, and under which licences."""

from __future__ import annotations

from dataclasses import dataclass

from .layout import BASE, CHECKPOINT, WAN

# Moved from KwaiVGI, whose name the hub forwards; a mirror may know only one of the two.
RECAMMASTER = ("KlingTeam/ReCamMaster-Wan2.1", "KwaiVGI/ReCamMaster-Wan2.1")

LICENCES = {
    "Wan2.1 (transformer, VAE, text encoder)": "Apache-2.0",
    "ReCamMaster-Wan2.1 (camera weights)": "Apache-2.0",
}


@dataclass(frozen=True)
class Source:
    """One public file.

    part: what it is part of in a release (``Release.files``). repos: where it may lie, the first
    that answers is taken. path: its place in the repo. place: its place in the public layout.
    needed: False for a file that a repo may lack.
    """

    part: str
    repos: tuple[str, ...]
    path: str
    place: str
    needed: bool = True


def _wan(part: str, path: str, needed: bool = True) -> Source:
    return Source(part, (WAN,), path, f"{WAN}/{path}", needed)


CAMERA = Source("camera", RECAMMASTER, "step20000.ckpt", CHECKPOINT)
BASE_MODEL = Source("transformer", (WAN,), "diffusion_pytorch_model.safetensors", BASE)

# In the order in which they are fetched: the camera weights first, since they tell whether the
# base transformer is needed at all.
SOURCES = (
    CAMERA,
    _wan("config", "config.json", needed=False),
    _wan("tokenizer", "google/umt5-xxl/spiece.model"),
    _wan("tokenizer", "google/umt5-xxl/tokenizer_config.json"),
    _wan("tokenizer", "google/umt5-xxl/special_tokens_map.json", needed=False),
    _wan("tokenizer", "google/umt5-xxl/tokenizer.json", needed=False),
    _wan("vae", "Wan2.1_VAE.pth"),
    _wan("text_encoder", "models_t5_umt5-xxl-enc-bf16.pth"),
)
