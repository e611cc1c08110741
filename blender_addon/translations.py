"""Recam in the artist's language: ``languages/`` holds a JSON file for each, by context and text.

Labels, tooltips and lists are looked up by Blender itself; what is put together while drawing goes
through ``words``. Sentences of errors, of the server and of ``shared`` are in English: a server
that is elsewhere knows nobody's language.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy

# For words that Blender means otherwise elsewhere: its dolly is a doll, its wipe a wire.
CONTEXT = "Recam"

FOLDER = Path(__file__).parent / "languages"


def words(text: str, **values: object) -> str:
    """``text`` in Blender's language, with ``values`` in its {braces}."""
    shown = bpy.app.translations.pgettext_iface(text)
    return shown.format(**values) if values else shown


def dictionary() -> dict[str, dict[tuple[str, str], str]]:
    """By locale, as Blender wants it: of (context, English text) the text to show."""
    return {
        file.stem: {
            (context, text): shown
            for context, texts in json.loads(file.read_text(encoding="utf-8")).items()
            for text, shown in texts.items()
        }
        for file in sorted(FOLDER.glob("*.json"))
    }


def register() -> None:
    bpy.app.translations.register(__package__, dictionary())


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
