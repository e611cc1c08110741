"""Embedded prompts, kept in memory and on disk."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

log = logging.getLogger(__name__)

MOST = 64  # entries, of up to 4 MB each


@dataclass(frozen=True)
class Embedding:
    """rows: ``(length, dim)``, the prompt's tokens alone. dropped: tokens that did not fit in."""

    rows: torch.Tensor
    dropped: int


class PromptCache:
    """The ``most`` embeddings used last, by cleaned text and ``key`` (which weights, which dtype).

    Several processes may share a folder. A file that cannot be read counts as absent, one that
    cannot be written is not missed: the embedding is made again.
    """

    def __init__(self, folder: Path | None, key: str, most: int = MOST) -> None:
        self._folder = folder
        self._key = key
        self._most = most
        self._held: OrderedDict[str, Embedding] = OrderedDict()

    def get(self, text: str) -> Embedding | None:
        """What was put for ``text``, or None."""
        name = self._name(text)
        embedding = self._held.get(name) or self._read(name)
        if embedding:
            self._hold(name, embedding)
        return embedding

    def put(self, text: str, embedding: Embedding) -> None:
        """Keep ``embedding``, and let go of what was not used for longest."""
        name = self._name(text)
        self._hold(name, embedding)
        if self._folder is None:
            return
        try:
            self._write(name, embedding)
            self._drop_oldest()
        except OSError as error:
            log.warning("The embedded prompt is not kept in %s: %s", self._folder, error)

    def _name(self, text: str) -> str:
        return hashlib.sha256(f"{self._key}\0{text}".encode()).hexdigest()

    def _hold(self, name: str, embedding: Embedding) -> None:
        self._held[name] = embedding
        self._held.move_to_end(name)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def _file(self, name: str) -> Path:
        return self._folder / f"prompt-{name}.safetensors"

    def _read(self, name: str) -> Embedding | None:
        if self._folder is None:
            return None
        try:
            tensors = load(self._file(name).read_bytes())
            embedding = Embedding(tensors["rows"], int(tensors["dropped"]))
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError) as error:
            log.warning("An embedded prompt cannot be read and is made again: %s", error)
            return None
        with suppress(OSError):
            os.utime(self._file(name))  # used now: it goes last
        return embedding

    def _write(self, name: str, embedding: Embedding) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"prompt-{name}.{secrets.token_hex(4)}.part"
        try:
            tensors = {"rows": embedding.rows, "dropped": torch.tensor(embedding.dropped)}
            draft.write_bytes(save(tensors))
            os.replace(draft, self._file(name))
        finally:
            draft.unlink(missing_ok=True)

    def _drop_oldest(self) -> None:
        files = sorted(self._folder.glob("prompt-*"), key=lambda file: file.stat().st_mtime)
        for file in files[: -self._most]:
            file.unlink(missing_ok=True)
