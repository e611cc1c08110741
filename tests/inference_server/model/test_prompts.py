"""Prompts: the public code's numbers, and a text encoder that loads for a new text alone."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference_server.model.prompt_cache import Embedding, PromptCache
from inference_server.model.prompts import (
    NEGATIVE_PROMPT,
    PromptEmbedder,
    clean,
    embed_ids,
    tokenise,
)
from inference_server.releases.layout import find_release
from inference_server.releases.modules import load_text_encoder, load_tokenizer
from shared.errors import RecamError

MINIATURE = Path(__file__).parents[3] / "inference_server/miniature"
RELEASE = find_release(MINIATURE / "release")


class Loads:
    """Makes embedders from the miniature release, and counts how often its encoder loads."""

    def __init__(self, folder):
        self.folder = folder
        self.tokenizers = self.encoders = 0

    def tokenizer(self):
        self.tokenizers += 1
        return load_tokenizer(RELEASE)

    def encoder(self):
        self.encoders += 1
        return load_text_encoder(RELEASE, torch.float32)

    def embedder(self, key="miniature", folder=True):
        return PromptEmbedder(
            self.tokenizer, self.encoder, self.folder if folder else None, key, "cpu"
        )


@pytest.fixture
def loads(tmp_path):
    return Loads(tmp_path / "prompts")


def relative(made, expected):
    return float((made.float() - expected.float()).norm() / expected.float().norm())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("  A man\n\twalks  on ", "A man walks on"),
        ("a &amp;amp; b &lt;c&gt;", "a & b <c>"),
        ("<b> &amp;lt;", "<b> <"),
        ("schÃ¶n", "schön"),
        ("Capitals Stay\u00a0here", "Capitals Stay here"),
        ("\ud800", "\ufffd"),
        ("&nbsp;", ""),
        ("", ""),
    ],
)
def test_cleaning(written, read):
    assert clean(written) == read


def test_the_negative_prompt_is_wan_s():
    digest = hashlib.sha256(NEGATIVE_PROMPT.encode()).hexdigest()
    assert digest == "ce96e0324e4b54ce4b6e867f669ca520952e1a34cc116543516b1897f0d3c47e"
    assert len(NEGATIVE_PROMPT) == 137


def test_embeddings_are_the_public_code_s():
    expected = load_file(MINIATURE / "expected.safetensors")
    ids = expected["ids_pos"]
    embed = partial(embed_ids, ids=ids, mask=(ids != 0).long())
    exact, public = expected["fp32.context_pos"], expected["bf16.context_pos"]

    made = embed(load_text_encoder(RELEASE, torch.float32))
    assert relative(made, exact) < 2e-5
    assert not made[0, int((ids != 0).sum()) :].any()

    made = embed(load_text_encoder(RELEASE, torch.bfloat16))
    assert made.dtype == torch.bfloat16
    assert relative(made, exact) < 1.5 * relative(public, exact)


def test_tokens_end_with_the_end_and_are_filled_up():
    ids, mask, dropped = tokenise(load_tokenizer(RELEASE), "a man walks")
    length = int(mask.sum())
    assert ids.shape == mask.shape == (1, 512)
    assert (ids[0, length - 1], dropped) == (1, 0)
    assert not ids[0, length:].any() and ids[0, :length].all()


def test_a_prompt_that_is_too_long_is_cut_and_said(loads):
    tokenizer, prompts = load_tokenizer(RELEASE), loads.embedder()
    text = ("a man walks in the rain, " * 400)[:10_000]
    ids, mask, dropped = tokenise(tokenizer, clean(text))
    assert mask.all() and ids[0, -1] == 1
    assert 512 + dropped == len(tokenizer(clean(text)).input_ids)

    assert prompts.embed(text).shape == (1, 512, 64)
    assert len(prompts.remarks) == 1
    assert f"last {dropped} of “a man walks in" in prompts.remarks[0]
    again = loads.embedder()
    again.embed(text)
    assert again.remarks == prompts.remarks
    again.embed("a man")
    assert again.remarks == []


def test_a_text_beyond_20000_characters_is_refused(loads):
    with pytest.raises(RecamError, match="20,001 characters; 20,000 are the most") as error:
        loads.embedder().embed("x" * 20_001)
    assert error.value.code == "prompt_too_long"
    assert loads.tokenizers == 0


def test_an_embedding_is_the_encoder_s(loads):
    ids, mask, _ = tokenise(load_tokenizer(RELEASE), "a man")
    direct = embed_ids(load_text_encoder(RELEASE, torch.float32), ids, mask)
    prompts = loads.embedder()
    assert torch.equal(prompts.embed("a  man "), direct)
    assert torch.equal(prompts.embed("a man"), direct)
    assert torch.equal(loads.embedder().embed("a man"), direct)


def test_the_encoder_loads_for_new_texts_alone(loads):
    prompts = loads.embedder()
    both = prompts.embed_all(["a man", NEGATIVE_PROMPT])
    assert loads.encoders == 1
    assert torch.equal(prompts.embed(" a\nman"), both[0])
    assert torch.equal(loads.embedder().embed(NEGATIVE_PROMPT), both[1])
    assert (loads.encoders, loads.tokenizers) == (1, 1)

    prompts.embed_all(["a man", "a woman", "a woman"])
    assert loads.encoders == 2
    loads.embedder(key="another release").embed("a man")
    assert loads.encoders == 3
    loads.embedder(folder=False).embed("a man")
    assert loads.encoders == 4


def test_the_encoder_is_let_go_of(loads):
    held = []

    def load():
        encoder = loads.encoder()
        held.append(weakref.ref(encoder))
        return encoder

    prompts = PromptEmbedder(loads.tokenizer, load, loads.folder, "key")
    prompts.embed("a man")
    assert held[0]() is None


def test_files_hold_the_text_s_own_rows_alone(loads):
    loads.embedder().embed("a man")
    (file,) = loads.folder.iterdir()
    rows = load_file(file)["rows"]
    assert 1 < len(rows) < 10
    assert file.stat().st_size < rows.nbytes + 1000


@pytest.mark.parametrize("damage", ["cut", "noise", "other", "empty"])
def test_a_broken_file_is_made_again(loads, damage):
    whole = loads.embedder().embed("a man")
    (file,) = loads.folder.iterdir()
    if damage == "other":
        save_file({"something": torch.zeros(3)}, file)
    else:
        content = file.read_bytes()
        file.write_bytes({"cut": content[:-7], "noise": os.urandom(500), "empty": b""}[damage])
    assert torch.equal(loads.embedder().embed("a man"), whole)
    assert loads.encoders == 2
    assert torch.equal(loads.embedder().embed("a man"), whole)
    assert loads.encoders == 2


def test_a_folder_that_cannot_be_made_costs_the_keeping_alone(loads, tmp_path):
    loads.folder = tmp_path / "file" / "prompts"
    (tmp_path / "file").write_text("in the way")
    prompts = loads.embedder()
    prompts.embed("a man")
    prompts.embed("a man")
    assert loads.encoders == 1


def test_an_encoder_that_gives_no_numbers_is_refused(loads):
    def load():
        encoder = loads.encoder()
        encoder.shared.weight.fill_(float("nan"))
        return encoder

    prompts = PromptEmbedder(loads.tokenizer, load, loads.folder, "key")
    with pytest.raises(RecamError, match="no numbers") as error:
        prompts.embed("a man")
    assert error.value.code == "weights_broken"
    assert not loads.folder.exists()


def rows_of(number):
    return Embedding(torch.full((2, 3), float(number)), number)


@pytest.mark.parametrize("folder", ["prompts", None])
def test_what_was_not_used_for_longest_goes(tmp_path, folder):
    folder = folder and tmp_path / folder
    cache = PromptCache(folder, "key", most=3)
    for number in range(3):
        cache.put(str(number), rows_of(number))
        if folder:  # files of the same instant have no order
            for file in folder.iterdir():
                os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns - 10**9))
    late = PromptCache(folder, "key", most=3) if folder else cache
    assert late.get("0").dropped == 0
    late.put("3", rows_of(3))
    fresh = PromptCache(folder, "key", most=3) if folder else cache
    kept = [number for number in range(4) if fresh.get(str(number))]
    assert kept == [0, 2, 3]
    assert folder is None or len(list(folder.iterdir())) == 3


def test_many_writers_of_one_entry_leave_one_whole_file(tmp_path):
    """Threads stand for processes: each has a cache of its own, and its own names for drafts."""
    written = Embedding(torch.randn(400, 64), 0)
    broken = []

    def work():
        for _ in range(20):
            PromptCache(tmp_path, "key").put("a man", written)
            found = PromptCache(tmp_path, "key").get("a man")
            if found is None or not torch.equal(found.rows, written.rows):
                broken.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
    assert len(list(tmp_path.iterdir())) == 1
