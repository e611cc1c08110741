"""One network's tensors out of a release's files, and whether they are all and the right ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Size, Tensor

from .layout import Release
from .names import text_encoder_names, transformer_names, vae_names
from .tensors import broken, read_tensors

_RENAME = {
    "transformer": transformer_names,
    "vae": vae_names,
    "text_encoder": text_encoder_names,
}
# Where a file holds several networks, a network's names begin with one of these.
_PREFIXES = {
    "transformer": ("transformer.", "dit."),
    "vae": ("vae.",),
    "text_encoder": ("text_encoder.",),
}
_NAMED = 3  # tensors named in a sentence


@dataclass(frozen=True)
class Found:
    """A network's tensors by diffusers' names.

    origins: file and own name of each. file: where what is missing should have been.
    """

    tensors: dict[str, Tensor]
    origins: dict[str, tuple[Path, str]]
    file: Path

    def check(self, shapes: dict[str, Size]) -> None:
        """RecamError ``weights_broken`` unless these are the tensors, no more and no fewer."""
        missing = [name for name in shapes if name not in self.tensors]
        if missing:
            raise broken(self.file, f"it lacks {_listed(missing)}")
        unknown = [name for name in self.tensors if name not in shapes]
        wrong = [n for n in shapes if n in self.tensors and self.tensors[n].shape != shapes[n]]
        for names, fault in ((unknown, "it also holds {}"), (wrong, "the shape is wrong of {}")):
            if names:
                file, _ = self.origins[names[0]]
                raise broken(file, fault.format(_listed([self._told(n, shapes) for n in names])))

    def _told(self, name: str, shapes: dict[str, Size]) -> str:
        shape = "x".join(map(str, self.tensors[name].shape)) or "a single number"
        told = f"{self.origins[name][1]} ({shape}"
        return told + (f", not {'x'.join(map(str, shapes[name]))})" if name in shapes else ")")


def collect(release: Release, network: str) -> Found:
    """The tensors of ``network``, one of ``layout.NETWORKS``, by the names of diffusers.

    A transformer's come from the ReCamMaster checkpoint where that holds them all, else it is
    laid over Wan's own. RecamError ``weights_broken`` where a file cannot be read.
    """
    base = release.files[network]
    camera = release.files.get("camera") if network == "transformer" else None
    if camera is None:
        return _from(base, network)
    over = _from(camera, network)
    if "patch_embedding.weight" in over.tensors:
        return over
    _check_every_block(over)
    below = _from(base, network)
    return Found(below.tensors | over.tensors, below.origins | over.origins, camera)


def _from(path: Path, network: str) -> Found:
    tensors = read_tensors(path)
    own = {
        name.removeprefix(prefix): name
        for prefix in _PREFIXES[network]
        for name in tensors
        if name.startswith(prefix)
    } or {name: name for name in tensors}
    names = _RENAME[network](own)
    return Found(
        {new: tensors[old] for new, old in names.items()},
        {new: (path, old) for new, old in names.items()},
        path,
    )


def _check_every_block(over: Found) -> None:
    """What was trained in one block was trained in all: else the file is incomplete.

    Wan's own tensor would stand in for a missing one unnoticed.
    """
    places = [name.split(".", 2) for name in over.tensors if name.startswith("blocks.")]
    blocks = {int(index) for _, index, _ in places}
    wanted = {f"blocks.{index}.{rest}" for index in sorted(blocks) for _, _, rest in places}
    if missing := sorted(wanted - set(over.tensors)):
        raise broken(over.file, f"it lacks {_listed(missing)}")


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more tensors" if more > 0 else "")
