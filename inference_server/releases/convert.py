"""A release of any layout, checked and written as Recam keeps it: safetensors, one per network."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from shared.errors import RecamError
from shared.version import VERSION

from .collect import collect
from .configs import merged_metadata
from .incoming import flush
from .layout import NETWORKS, Release, find_release
from .modules import checked_tensors, load_tokenizer
from .tensors import broken, check_finite

# Told of a stage ("fetching", "checking the vae"), how much of it is done, and of how much.
OnProgress = Callable[[str, int, int], None]


def convert_network(release: Release, network: str, made: Path, on_progress: OnProgress) -> None:
    """Write ``network`` (one of ``layout.NETWORKS``) to the folder ``made``.

    The file appears only when its names, shapes and numbers are right and it is on the disk.
    Tensors stay mapped from their file and keep its dtypes; the network's config goes into the
    metadata. Raises RecamError ``weights_broken`` or ``disk_full``.
    """
    tensors, config = checked_tensors(release, network)
    words = network.replace("_", " ")
    total, done = sum(tensor.nbytes for tensor in tensors.values()), 0
    for name, tensor in tensors.items():
        on_progress(f"checking the {words}", done, total)
        # NaN passes through to the extremes, which take a tenth of the time of looking at all.
        if tensor.itemsize == 1 or not torch.stack(torch.aminmax(tensor)).isfinite().all():
            file, own_name = collect(release, network).origins[name]
            check_finite({own_name: tensor}, file)
        done += tensor.nbytes
    on_progress(f"writing the {words}", 0, 0)
    fresh = made / f"{network}.new"
    fresh.touch()
    mode = fresh.stat().st_mode  # which save_file would make the owner's alone
    try:
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            fresh,
            metadata={"config": json.dumps(config)},
        )
        fresh.chmod(mode)
        flush(fresh)
    except (OSError, SafetensorError) as error:
        fresh.unlink(missing_ok=True)
        raise RecamError(
            "disk_full",
            f"{network}.safetensors could not be written to {made} ({error}).",
            "Free some space, then run the command again.",
        ) from error
    fresh.replace(made / f"{network}.safetensors")


def convert_tokenizer(release: Release, made: Path) -> None:
    """Copy the tokenizer to ``made/tokenizer``. RecamError ``weights_broken`` if it is none."""
    load_tokenizer(release)
    source, fresh = release.files["tokenizer"], made / "tokenizer.new"
    shutil.rmtree(fresh, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, fresh)
    else:
        fresh.mkdir()
        for name, content in json.loads(merged_metadata(release)["tokenizer"]).items():
            (fresh / Path(name).name).write_bytes(base64.b64decode(content))
    fresh.rename(made / "tokenizer")


def finish(made: Path, sources: list[dict], licences: dict[str, str]) -> None:
    """Write ``release.json``, which makes the networks in ``made`` a release.

    sources: what it was made of; for each file ``from`` where, its name, size and checksum.
    RecamError ``weights_broken`` where the networks do not fit each other.
    """
    configs = {}
    for network in NETWORKS:
        with safe_open(made / f"{network}.safetensors", framework="np") as file:
            configs[network] = json.loads(file.metadata()["config"])
    for width, (one, word), (other, its_word) in (
        ("text", ("transformer", "text_dim"), ("text_encoder", "d_model")),
        ("latents", ("transformer", "out_channels"), ("vae", "z_dim")),
    ):
        here, there = configs[one][word], configs[other][its_word]
        if here != there:
            raise broken(
                made, f"the {one} takes {width} {here} wide, and the {other} gives {there}"
            )
    about = {
        "made_by": f"recam {VERSION}",
        "licences": licences,
        "sources": sources,
        "configs": configs,
    }
    text = json.dumps(about, indent=1, ensure_ascii=False)
    (made / "release.json").write_text(text, encoding="utf-8")
    find_release(made)
