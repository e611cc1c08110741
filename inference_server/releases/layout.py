"""Which files a release consists of, in each of the layouts that people have. No torch here.

A release is a folder, or one file:

- ``public``: as the makers publish it, ``Wan-AI/Wan2.1-T2V-1.3B/…`` and
  ``ReCamMaster/checkpoints/step20000.ckpt``.
- ``recam``: as ``recam weights`` converts it, ``transformer.safetensors``, ``vae.safetensors``,
  ``text_encoder.safetensors``, ``tokenizer/`` and ``release.json``.
- ``diffusers``: folders ``transformer/``, ``vae/``, ``text_encoder/``, ``tokenizer/`` as
  ``save_pretrained`` writes them; the camera's tensors in ``transformer/`` or in ``camera.*``.
- ``merged``: one safetensors whose keys begin with ``transformer.``, ``vae.`` and
  ``text_encoder.``; the tokenizer in its metadata, or in ``tokenizer/`` beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from shared.errors import RecamError
from shared.folders import state_folder

from .whole import is_whole

WAN = "Wan-AI/Wan2.1-T2V-1.3B"
CHECKPOINTS = "ReCamMaster/checkpoints"
BASE = f"{WAN}/diffusion_pytorch_model.safetensors"
CHECKPOINT = f"{CHECKPOINTS}/step20000.ckpt"

# The networks of a release; beside them it has a tokenizer.
NETWORKS = ("transformer", "vae", "text_encoder")

_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
_HEAD_BYTES = 4 << 20
_DAMAGED = " (the one there is cut short or damaged)"


@dataclass(frozen=True)
class Release:
    """A complete release.

    files, by part: ``transformer`` (Wan's own or the whole), ``camera`` (the ReCamMaster
    checkpoint, whole or only what was trained; absent where the transformer holds it),
    ``vae``, ``text_encoder``, ``tokenizer`` (a folder; for a merged file that carries it, the
    file), ``config`` (where there is one). A part in shards is its ``….index.json``.
    """

    name: str
    path: Path
    layout: str
    files: dict[str, Path]


def default_releases() -> Path:
    """Where weights lie unless something else is said."""
    return state_folder() / "releases"


def find_release(path: Path) -> Release:
    """The release in the folder, or the merged file, ``path``.

    RecamError ``weights_missing`` names every file that is not there.
    """
    path = Path(path).absolute()
    if not os.path.exists(path):
        raise RecamError("weights_missing", f"There is no {path}.", "Check the path.")
    layout, files, missing = _look(path)
    if missing:
        what = f"The release {path} is incomplete" if files else f"{path} is no release"
        raise RecamError(
            "weights_missing",
            f"{what}: it has no {', no '.join(missing)}.",
            "`recam weights install` fetches it; `recam weights add` takes one you have.",
        )
    return _release(path, layout, files)


def missing_parts(path: Path) -> list[str]:
    """What a release at ``path`` still needs, relative to it; empty when it is complete.

    In words where it cannot be read.
    """
    return _look(Path(path))[2]


def releases_in(folder: Path, unread: list[OSError] | None = None) -> list[Release]:
    """``folder`` itself if it is a release, then each child that is one, by name.

    What cannot be read is passed over; ``unread`` is given the reasons.
    """
    folder = Path(folder).absolute()
    looks = ((path, *_look(path, unread)) for path in (folder, *children(folder, unread)))
    return [_release(path, layout, files) for path, layout, files, missing in looks if not missing]


def children(folder: Path, unread: list[OSError] | None = None) -> list[Path]:
    """Where releases may be in ``folder``, by name; none where it cannot be read.

    Hidden children, and with them unfinished installs, are passed over. ``unread`` as above.
    """
    try:
        return sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    except OSError as error:
        _note(error, unread)
        return []


def fingerprint(release: Release, *parts: str) -> str:
    """16 hexadecimal digits that change when a file of these parts does; none of it is read."""
    files = [f for part in parts if part in release.files for f in part_files(release.files[part])]
    known = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def part_files(path: Path) -> list[Path]:
    """The files behind one part: the file itself, an index and its shards, a folder's files."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    if path.name.endswith(".index.json"):
        return [path, *(path.parent / shard for shard in _shards(path))]
    return [path]


def _shards(index: Path) -> list[str]:
    """The names of an index's shards, all beside it; none if the index is damaged."""
    try:
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return sorted({Path(shard).name for shard in shards})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def _release(path: Path, layout: str, files: dict[str, Path]) -> Release:
    return Release(path.stem if layout == "merged" else path.name, path, layout, files)


def _note(error: OSError, unread: list[OSError] | None) -> None:
    if unread is not None:
        unread.append(error)


def _look(
    path: Path, unread: list[OSError] | None = None
) -> tuple[str, dict[str, Path], list[str]]:
    """The layout at ``path``, the files found, and what is missing."""
    try:
        if path.is_file():
            return "merged", *_merged(path)
        if (path / "transformer").is_dir():
            return "diffusers", *_diffusers(path)
        if (path / "transformer.safetensors").is_file() or (path / "release.json").is_file():
            return "recam", *_recam(path)
        return "public", *_public(path)
    except OSError as error:
        _note(error, unread)
        return "public", {}, [f"files that may be read ({error.strerror})"]


def _public(root: Path) -> tuple[dict[str, Path], list[str]]:
    checkpoint = _checkpoint(root / CHECKPOINTS)
    wanted = {
        "transformer": root / BASE,
        "vae": root / WAN / "Wan2.1_VAE.pth",
        "text_encoder": root / WAN / "models_t5_umt5-xxl-enc-bf16.pth",
        "tokenizer": root / WAN / "google/umt5-xxl",
        "camera": checkpoint or root / CHECKPOINT,
    }
    base = wanted["transformer"]
    usable = base.is_file() and is_whole(base)
    if checkpoint and not usable and _holds(checkpoint, "patch_embedding"):
        wanted["transformer"] = wanted.pop("camera")
    return _found(root, wanted, {"config": root / WAN / "config.json"})


def _recam(root: Path) -> tuple[dict[str, Path], list[str]]:
    wanted = {network: root / f"{network}.safetensors" for network in NETWORKS}
    wanted["tokenizer"] = root / "tokenizer"
    return _found(root, wanted, {"config": root / "release.json"})


def _diffusers(root: Path) -> tuple[dict[str, Path], list[str]]:
    wanted = {network: _saved(root / network) for network in NETWORKS}
    wanted["tokenizer"] = root / "tokenizer"
    transformer = wanted["transformer"]
    if not (transformer.is_file() and _holds(transformer, "cam_encoder")):
        beside = (root / f"camera{suffix}" for suffix in _SUFFIXES)
        found = next((file for file in beside if file.is_file()), None)
        found = found or _checkpoint(root / "camera") or _checkpoint(root / CHECKPOINTS)
        wanted["camera"] = found or root / "camera.safetensors"
    return _found(root, wanted, {})


def _merged(path: Path) -> tuple[dict[str, Path], list[str]]:
    if not is_whole(path):
        return {}, [path.name + _DAMAGED]
    beside = path.parent / "tokenizer"
    held = [network for network in NETWORKS if _holds(path, f'"{network}.')]
    files = dict.fromkeys(held, path)
    missing = [f"tensors {network}.…" for network in NETWORKS if network not in held]
    if "transformer" in held and not _holds(path, "cam_encoder"):
        missing.append("tensors transformer.….cam_encoder.…")
    if held and _is_tokenizer(beside):
        files["tokenizer"] = beside
    elif _holds(path, '"tokenizer":'):
        files["tokenizer"] = path
    else:
        missing.append("tokenizer/ beside it")
    return files, missing


def _found(
    root: Path, wanted: dict[str, Path], optional: dict[str, Path]
) -> tuple[dict[str, Path], list[str]]:
    files = {part: path for part, path in (wanted | optional).items() if _is_there(part, path)}
    missing = [
        path.relative_to(root).as_posix() + ("/spiece.model" if part == "tokenizer" else "")
        for part, path in wanted.items()
        if part not in files
    ]
    behind = [file for part in files if part != "tokenizer" for file in part_files(files[part])]
    damaged = [
        file.relative_to(root).as_posix() + (_DAMAGED if file.is_file() else "")
        for file in behind
        if not (file.is_file() and is_whole(file))
    ]
    return files, missing + damaged


def _is_there(part: str, path: Path) -> bool:
    return _is_tokenizer(path) if part == "tokenizer" else path.is_file()


def _is_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("spiece.model", "tokenizer.json"))


def _checkpoint(folder: Path) -> Path | None:
    """The public checkpoint, else the one with the highest step number."""
    if (folder / "step20000.ckpt").is_file():
        return folder / "step20000.ckpt"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [file for file in found if file.suffix in _SUFFIXES and file.is_file()]
    return max(found, key=_step, default=None)


def _step(file: Path) -> int:
    return int("0" + "".join(re.findall(r"\d+", file.stem)[-1:]))


def _saved(folder: Path) -> Path:
    """The index or the file that ``save_pretrained`` wrote, or the name it would have."""
    for pattern in ("*.safetensors.index.json", "*.safetensors"):
        if found := sorted(folder.glob(pattern)):
            return found[0]
    name = "model" if folder.name == "text_encoder" else "diffusion_pytorch_model"
    return folder / f"{name}.safetensors"


def _holds(path: Path, text: str) -> bool:
    """Whether ``text`` stands among a file's tensor names.

    Names come first in every format: a safetensors header, the pickle at the start of a torch
    archive, a JSON index. So nothing is unpickled and no weight is read.
    """
    with path.open("rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little") if start[8:] == b"{" else _HEAD_BYTES
        return text.encode() in start + file.read(min(length, 100 << 20))
