"""The miniature release in the other layouts that a release may have."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from inference_server.releases.layout import BASE, CHECKPOINT, NETWORKS, find_release
from inference_server.releases.modules import (
    checked_tensors,
    load_text_encoder,
    load_transformer,
    load_vae,
)

MINIATURE = find_release(Path(__file__).parents[3] / "inference_server/miniature/release")
TOKENIZER = MINIATURE.files["tokenizer"]
LOAD = {"transformer": load_transformer, "vae": load_vae, "text_encoder": load_text_encoder}


def as_public(folder: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(MINIATURE.path, folder / "public"))


def as_diffusers(folder: Path, shard: str = "10GB") -> Path:
    """As a diffusers user saves it, in shards of at most ``shard``."""
    root = folder / "diffusers"
    for network in NETWORKS:
        made = LOAD[network](MINIATURE, torch.float32)
        made.save_pretrained(root / network, max_shard_size=shard)
    shutil.copytree(TOKENIZER, root / "tokenizer")
    return root


def as_recam(folder: Path) -> Path:
    """As Recam converts it."""
    root = folder / "recam"
    root.mkdir()
    configs = {}
    for network in NETWORKS:
        tensors, configs[network] = checked_tensors(MINIATURE, network)
        save_file(tensors, root / f"{network}.safetensors")
    (root / "release.json").write_text(json.dumps({"configs": configs}))
    shutil.copytree(TOKENIZER, root / "tokenizer")
    return root


def as_merged(folder: Path, carries_tokenizer: bool = True, tokenizer: Path = TOKENIZER) -> Path:
    """As one file; its tokenizer inside, or else beside it."""
    folder.mkdir(exist_ok=True)
    tensors, configs = {}, {}
    for network in NETWORKS:
        found, configs[network] = checked_tensors(MINIATURE, network)
        tensors |= {f"{network}.{name}": tensor for name, tensor in found.items()}
    metadata = {"configs": json.dumps(configs)}
    if carries_tokenizer:
        files = {f.name: base64.b64encode(f.read_bytes()).decode() for f in tokenizer.iterdir()}
        metadata["tokenizer"] = json.dumps(files)
    else:
        shutil.copytree(tokenizer, folder / "tokenizer")
    save_file(tensors, folder / "merged.safetensors", metadata)
    return folder / "merged.safetensors"


def checkpoint() -> dict[str, Tensor]:
    """The ReCamMaster checkpoint's tensors by their own names."""
    return torch.load(MINIATURE.files["camera"], weights_only=True)


def trained_part() -> dict[str, Tensor]:
    """What ReCamMaster trains, alone."""
    words = ("cam_encoder", "projector", "self_attn")
    return {name: t for name, t in checkpoint().items() if any(word in name for word in words)}


def with_checkpoint(folder: Path, content: object, base: bool = True) -> Path:
    """The public release with another checkpoint; without Wan's own transformer if not ``base``."""
    root = as_public(folder)
    torch.save(content, root / CHECKPOINT)
    if not base:
        (root / BASE).unlink()
    return root
