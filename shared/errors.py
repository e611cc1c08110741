"""The one error that people see: a code, a sentence, a hint."""

from __future__ import annotations


class RecamError(Exception):
    """Something went wrong in a way that a person can act on.

    code: short and stable, for programs (``camera_pose``, ``clip_unreadable``).
    sentence: what is wrong and with what, for the artist.
    hint: what to do about it; may be empty.
    """

    def __init__(self, code: str, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()
