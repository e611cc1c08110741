"""What a machine learns of its own speed, and how it says it."""

from __future__ import annotations

import pytest

from inference_server.engines import paces
from inference_server.engines.estimate import duration


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "paces.json"


def test_nothing_is_known_before_it_was_done():
    paces.learn("a", 10, 5)
    assert paces.seconds_for("a", 20) == 10
    assert paces.seconds_for("b", 20) is None


def test_the_last_job_counts_most_and_a_long_one_more_than_a_short_one():
    paces.learn("a", 100, 100)
    paces.learn("a", 1, 50)  # a short one, which had to compile
    assert paces.seconds_for("a", 100) == pytest.approx(100 * 100 / 51)
    for _ in range(10):
        paces.learn("a", 100, 10)
    assert paces.seconds_for("a", 100) == pytest.approx(10, rel=0.02)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a": 3}', '{"a": ["x", 1]}', '{"a": [1, 0]}'])
def test_a_damaged_file_is_learnt_anew(file, damage):
    file.parent.mkdir()
    file.write_text(damage)
    assert paces.seconds_for("a", 1) is None
    paces.learn("a", 2, 4)
    assert paces.seconds_for("a", 1) == pytest.approx(2, rel=0.3)


def test_a_folder_that_takes_nothing_stops_no_job(file):
    file.parent.write_text("in the way")
    paces.learn("a", 1, 1)
    assert paces.seconds_for("a", 1) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (45, "45 seconds"),
        (99.6, "2 minutes"),
        (250, "4 minutes"),
        (5900, "98 minutes"),
        (7300, "2 hours"),
        (300_000, "3 days"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds, words):
    assert duration(seconds) == words
