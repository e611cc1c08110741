"""The networks of a release in memory, loaded strictly.

A network is built without memory of its own and takes the tensors as they are mapped from disk,
so that nothing is held twice.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor, nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase, UMT5Config, UMT5EncoderModel

from inference_server.model.camera_transformer import CameraTransformer

from .collect import Found, collect
from .configs import (
    merged_metadata,
    read_config,
    text_encoder_config,
    transformer_config,
    vae_config,
)
from .layout import Release
from .tensors import broken

# The embedding that UMT5 has under two names, of which files hold one.
_TIED = "encoder.embed_tokens.weight"

# Network → what makes its config out of its tensors and what the files say.
CONFIGS = {
    "transformer": transformer_config,
    "vae": vae_config,
    "text_encoder": text_encoder_config,
}
_BUILD = {
    "transformer": lambda config: CameraTransformer(**config),
    "vae": lambda config: AutoencoderKLWan(**config),
    "text_encoder": lambda config: UMT5EncoderModel(UMT5Config(**config)),
}


def load_transformer(
    release: Release, dtype: torch.dtype = torch.bfloat16, device: torch.device | str = "cpu"
) -> CameraTransformer:
    """Wan's transformer with ReCamMaster's camera, every parameter in ``dtype``.

    RecamError ``weights_broken`` for a file that cannot be read, and for tensors that are
    missing, of another shape or not known. The rotary tables keep their own precision: don't
    cast the network afterwards.
    """
    network = _load(release, "transformer", dtype, device)
    config = network.config
    network.rope = type(network.rope)(
        config.attention_head_dim, tuple(config.patch_size), config.rope_max_seq_len
    ).to(device)
    return network


def load_vae(
    release: Release, dtype: torch.dtype = torch.bfloat16, device: torch.device | str = "cpu"
) -> AutoencoderKLWan:
    """Wan's VAE, every parameter in ``dtype``. Errors as in ``load_transformer``."""
    return _load(release, "vae", dtype, device)


def load_text_encoder(
    release: Release, dtype: torch.dtype = torch.bfloat16, device: torch.device | str = "cpu"
) -> UMT5EncoderModel:
    """UMT5's encoder, every parameter in ``dtype``. Errors as in ``load_transformer``."""
    network = _load(release, "text_encoder", dtype, device)
    network.set_input_embeddings(network.shared)
    return network


def load_tokenizer(release: Release) -> PreTrainedTokenizerBase:
    """UMT5's tokenizer, from disk alone. RecamError ``weights_broken`` if it cannot be read.

    Nothing in it is run: one that needs code of its own is refused.
    """
    path = release.files["tokenizer"]
    try:
        if path.is_dir():
            return _tokenizer(path)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in json.loads(merged_metadata(release)["tokenizer"]).items():
                (Path(folder) / Path(name).name).write_bytes(base64.b64decode(content))
            return _tokenizer(Path(folder))
    except Exception as error:  # each kind of tokenizer file fails in its own way
        if "trust_remote_code" in str(error):
            raise broken(
                path,
                "its tokenizer asks for Python code of its own; nothing in it was run",
                "Take the tokenizer of google/umt5-xxl, which comes with Wan2.1.",
            ) from error
        raise broken(path, f"no tokenizer can be made of it ({error})") from error


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    # Left open, trust_remote_code makes transformers ask on stdin, where a worker has its orders.
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def checked_tensors(release: Release, network: str) -> tuple[dict[str, Tensor], dict]:
    """The tensors of ``network`` (one of ``layout.NETWORKS``), and the config that they fit.

    Names, shapes and their being complete are checked. By the names of diffusers and
    transformers, in the dtypes of the files, mapped from disk. Errors as in
    ``load_transformer``.
    """
    _, found, config = _open(release, network)
    return found.tensors, config


def on_meta(network: str, config: dict) -> nn.Module:
    """``network`` without its weights, on the meta device."""
    with torch.device("meta"):
        return _BUILD[network](config)


def _load(release: Release, name: str, dtype: torch.dtype, device: torch.device | str) -> nn.Module:
    network, found, _ = _open(release, name)
    # One after the other, so that what is converted need not lie beside what was read.
    tensors = {key: found.tensors.pop(key).to(device, dtype) for key in list(found.tensors)}
    if name == "text_encoder":
        tensors[_TIED] = tensors["shared.weight"]
    network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(False)


def _open(release: Release, name: str) -> tuple[nn.Module, Found, dict]:
    """The network on the meta device, the tensors that fit it, and its config."""
    found = collect(release, name)
    said = read_config(release, name)
    try:
        config = CONFIGS[name](found.tensors, said)
        network = on_meta(name, config)
    except Exception as error:  # a config file may say anything
        raise broken(found.file, f"its config does not make a {name} ({error})") from error
    found.check({key: value.shape for key, value in network.state_dict().items() if key != _TIED})
    return network, found, config
