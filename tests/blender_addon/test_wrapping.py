"""Sentences for labels that do not wrap."""

from __future__ import annotations

import pytest

from tests.blender_fixtures import load_pure


@pytest.fixture(scope="module")
def wrapped():
    return load_pure("ui/wrapping").wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("kept: /very/long/path.mp4 here", ["kept:", "/very/long", "/path.mp4", "here"]),
        ("exactly 10 exactly 10", ["exactly 10", "exactly 10"]),
    ],
)
def test_lines_break_between_words_and_inside_long_ones(wrapped, text, lines):
    assert wrapped(text, lambda line: len(line) <= 10) == lines


def test_no_room_at_all_still_shows_the_text(wrapped):
    assert wrapped("ab c", lambda line: False) == ["a", "b", "c"]
