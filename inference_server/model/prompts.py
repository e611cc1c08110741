"""The prompt: cleaned, tokenised and embedded as the public pipeline does it."""

from __future__ import annotations

import gc
import html
import re
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

from shared.errors import RecamError

from .prompt_cache import Embedding, PromptCache

TOKENS = 512  # that the model reads; shorter prompts are filled up with zeros
CHARACTERS = 20_000  # more is no prompt

# Wan's own, with which the public code runs: a list of flaws.
NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，"
    "低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，"
    "毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)


def clean(text: str) -> str:
    """``text`` with broken characters mended, HTML's escapes resolved, white space single."""
    import ftfy  # here, so that verifying numbers does without it

    unescaped = html.unescape(html.unescape(ftfy.fix_text(text)))
    return re.sub(r"\s+", " ", unescaped).strip()


def tokenise(
    tokenizer: PreTrainedTokenizerBase, text: str
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Ids and mask ``(1, 512) int64`` of cleaned text, and how many tokens did not fit in.

    The last token is always the end's: of a text that is too long, its own last ones go.
    """
    whole = len(tokenizer(text, verbose=False).input_ids)
    tokens = tokenizer(
        text, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
    )
    return tokens.input_ids, tokens.attention_mask, max(0, whole - TOKENS)


@torch.no_grad()
def embed_ids(
    text_encoder: UMT5EncoderModel, ids: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """``(1, 512, dim)`` of ids and mask ``(1, 512)``, on the encoder's device, in its dtype.

    Rows past the prompt's length are zero, as the transformer was trained: it attends to them.
    """
    ids, mask = ids.to(text_encoder.device), mask.to(text_encoder.device)
    hidden = text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return hidden.masked_fill(mask[..., None] == 0, 0)


class PromptEmbedder:
    """Embeds prompts; the text encoder, by far the largest network, loads for a new text alone.

    load_tokenizer, load_text_encoder: called without arguments when they are needed; what they
    give is let go of right after. The encoder runs where its loader puts it, the CPU perhaps.
    folder: of the kept embeddings; None keeps them in memory only.
    key: says which weights these are, and in which dtype; others' embeddings are not used.
    device: where the embeddings are wanted.

    After each call ``remarks`` holds sentences for the artist about what was left out.
    """

    def __init__(
        self,
        load_tokenizer: Callable[[], PreTrainedTokenizerBase],
        load_text_encoder: Callable[[], UMT5EncoderModel],
        folder: Path | None,
        key: str,
        device: torch.device | str = "cpu",
    ) -> None:
        self.remarks: list[str] = []
        self.device = device
        self._load_tokenizer = load_tokenizer
        self._load_text_encoder = load_text_encoder
        self._cache = PromptCache(folder, key)

    def embed(self, text: str) -> torch.Tensor:
        """``(1, 512, dim)`` of one prompt, see ``embed_all``."""
        return self.embed_all([text])[0]

    def embed_all(self, texts: list[str]) -> list[torch.Tensor]:
        """``(1, 512, dim)`` of each prompt, on ``device``, the encoder loaded once at the most.

        Raises RecamError: ``prompt_too_long`` beyond 20,000 characters, ``weights_broken`` where
        the encoder gives no numbers, and what the loaders raise.
        """
        cleaned = [_cleaned(text) for text in texts]
        known = {text: self._cache.get(text) for text in cleaned}
        new = [text for text, embedding in known.items() if embedding is None]
        if new:
            known |= self._embed_new(new)
        self.remarks = [_left_out(t, e.dropped) for t, e in known.items() if e.dropped]
        return [_padded(known[text].rows).to(self.device) for text in cleaned]

    def _embed_new(self, texts: list[str]) -> dict[str, Embedding]:
        tokenizer = self._load_tokenizer()
        tokens = [tokenise(tokenizer, text) for text in texts]
        text_encoder = self._load_text_encoder()
        made = {}
        try:
            for text, (ids, mask, dropped) in zip(texts, tokens, strict=True):
                rows = embed_ids(text_encoder, ids, mask)[0, : int(mask.sum())].cpu().clone()
                _check_finite(rows)
                made[text] = Embedding(rows, dropped)
        finally:
            del text_encoder
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        for text, embedding in made.items():
            self._cache.put(text, embedding)
        return made


def _cleaned(text: str) -> str:
    if len(text) > CHARACTERS:
        raise RecamError(
            "prompt_too_long",
            f"A prompt has {len(text):,} characters; {CHARACTERS:,} are the most.",
            f"Shorten it: the model reads {TOKENS} tokens, some 2,000 characters.",
        )
    return clean(text)


def _left_out(text: str, dropped: int) -> str:
    return (
        f"The model reads {TOKENS} tokens of a prompt: the last {dropped} of "
        f"“{text[:40]}…” are left out."
    )


def _padded(rows: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(rows, (0, 0, 0, TOKENS - len(rows)))[None]


def _check_finite(rows: torch.Tensor) -> None:
    if not rows.isfinite().all():
        raise RecamError(
            "weights_broken",
            "The text encoder's result for the prompt has values that are no numbers.",
            "Check the release with recam verify, and install it again.",
        )
