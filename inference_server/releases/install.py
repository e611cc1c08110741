"""From the hub to a release in place, a step at a time; what is done stays done."""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.errors import RecamError

from .catalogue import LICENCES
from .convert import OnProgress, convert_network, convert_tokenizer, finish
from .hub import RemoteFile, fetch
from .incoming import check_space, put_in_place
from .layout import BASE, CHECKPOINT, WAN, Release, find_release
from .names import transformer_names
from .plan import DOWNLOADS, MADE, STEPS, Plan, result, with_base_model
from .tensors import check_finite, read_tensors


def install(plan: Plan, folder: Path, target: Path, on_progress: OnProgress) -> Release:
    """Fetch what ``plan`` names, convert it, check it, and move it to ``target``.

    folder: where it is made, and where another try finds what this one leaves. Each file is
    converted when it has arrived, and its download deleted. Raises RecamError ``disk_full``,
    ``weights_broken``, ``hub_offline`` or ``hub_refused``.
    """
    (folder / MADE).mkdir(parents=True, exist_ok=True)
    for step in STEPS:
        if result(folder, step).exists() or not plan.of(step):
            continue
        _fetch(plan, plan.of(step), folder, on_progress)
        try:
            if step == "transformer" and not holds_base(folder / DOWNLOADS / CHECKPOINT):
                plan = with_base_model(plan, folder)
                check_space(target.parent, plan.space(folder))
                _fetch(plan, plan.of("base"), folder, on_progress)
            _convert(step, folder, on_progress)
        except RecamError as error:
            if error.code == "weights_broken":  # the hub's own: fetched anew by the next try
                _forget(plan, step, folder)
            raise
        _forget(plan, step, folder)
    finish(folder / MADE, [_source(file) for file in plan.files.values()], LICENCES)
    put_in_place(folder / MADE, target)
    shutil.rmtree(folder)
    return find_release(target)


def holds_base(checkpoint: Path) -> bool:
    """Whether a ReCamMaster checkpoint holds Wan's own tensors too, as the public one does.

    RecamError ``weights_broken`` if it cannot be read.
    """
    return "patch_embedding.weight" in transformer_names(read_tensors(checkpoint))


def _fetch(plan: Plan, files: dict[str, RemoteFile], folder: Path, on_progress: OnProgress) -> None:
    total = sum(file.size for file in plan.files.values())
    done = total - sum(size - fetched for size, fetched in plan.left(folder).values())

    def on_bytes(count: int) -> None:
        nonlocal done
        done += count
        on_progress("fetching", done, total)

    for place, file in files.items():
        fetch(file, folder / DOWNLOADS / place, on_bytes)


def _convert(step: str, folder: Path, on_progress: OnProgress) -> None:
    """Make ``step``'s result of its downloads."""
    downloads, made = folder / DOWNLOADS, folder / MADE
    if step == "base":  # a safetensors file already
        check_finite(read_tensors(downloads / BASE), downloads / BASE)
        shutil.copyfile(downloads / BASE, made / "base.new")
        (made / "base.new").replace(result(folder, step))
        return
    files = {
        "transformer": downloads / BASE,
        "camera": downloads / CHECKPOINT,
        "config": downloads / WAN / "config.json",
        "tokenizer": downloads / WAN / "google/umt5-xxl",
        "vae": downloads / WAN / "Wan2.1_VAE.pth",
        "text_encoder": downloads / WAN / "models_t5_umt5-xxl-enc-bf16.pth",
    }
    if not files["transformer"].is_file():
        files["transformer"] = files.pop("camera")
    release = Release(folder.name, downloads, "public", files)
    if step == "tokenizer":
        convert_tokenizer(release, made)
    else:
        convert_network(release, step, made, on_progress)


def _forget(plan: Plan, step: str, folder: Path) -> None:
    for place in plan.of(step):
        (folder / DOWNLOADS / place).unlink(missing_ok=True)


def _source(file: RemoteFile) -> dict:
    checksum = "sha256" if len(file.etag) == 64 else "etag"
    return {
        "from": f"{file.repo} at {file.commit}",
        "file": file.path,
        "size": file.size,
        checksum: file.etag,
    }
