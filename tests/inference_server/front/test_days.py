"""Ages do not believe a clock that jumps."""

from __future__ import annotations

import time

import pytest

from inference_server.front.storage import days
from inference_server.front.storage.days import DAY, Days


class Clocks:
    """The machine's clock, which may be set, and the one that nobody sets."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 50.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_days(self, count: float, calendar: Days) -> None:
        """So many days, with a look every six hours."""
        for _ in range(round(count * 4)):
            self.wall += DAY / 4
            self.steady += DAY / 4
            calendar.pass_on()


@pytest.fixture
def clocks(monkeypatch):
    made = Clocks()
    monkeypatch.setattr(days, "time", made)
    return made


@pytest.fixture
def file(tmp_path):
    return tmp_path / "days.json"


def test_days_pass_as_they_do(clocks, file):
    calendar, stamps = Days(file), []
    for _ in range(40):
        stamps.append(clocks.wall)
        clocks.pass_days(0.75, calendar)
    for count, stamp in enumerate(reversed(stamps), 1):
        assert calendar.age(stamp) == pytest.approx(0.75 * count, abs=0.01)
    again = Days(file)
    assert again.age(stamps[0]) == pytest.approx(30, abs=0.01)


def test_what_lay_there_before_the_first_day_is_new_then(clocks, file):
    calendar = Days(file)
    long_ago = clocks.wall - 1000 * DAY
    assert calendar.age(long_ago) == 0
    clocks.pass_days(3, calendar)
    assert calendar.age(long_ago) == pytest.approx(3)


@pytest.mark.parametrize("while_it_runs", [True, False])
@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumps_makes_nothing_older_than_a_day(clocks, file, years, while_it_runs):
    calendar = Days(file)
    clocks.pass_days(5, calendar)
    stamp = clocks.wall - DAY
    clocks.wall += years * 365 * DAY
    if not while_it_runs:
        calendar = Days(file)
    calendar.pass_on()
    # As old as it was, and a day at most for the time in which no server ran.
    assert 0 <= calendar.age(stamp) <= 2.01
    young = clocks.wall - 1
    clocks.pass_days(2, calendar)
    assert calendar.age(young) == pytest.approx(2, abs=0.3)
    # It is put right again.
    clocks.wall -= years * 365 * DAY
    calendar = Days(file)
    young = clocks.wall - 1
    clocks.pass_days(4, calendar)
    assert calendar.age(young) == pytest.approx(4, abs=0.3)
    assert 0 <= calendar.age(stamp) <= 9.01


def test_a_month_without_a_server_counts_as_a_day(clocks, file):
    Days(file)
    stamp = clocks.wall
    clocks.wall += 30 * DAY
    clocks.steady = 3.0  # another start of the machine
    assert Days(file).age(stamp) == pytest.approx(1)


def test_short_runs_add_up(clocks, file):
    stamp = clocks.wall
    for _ in range(100):
        Days(file)
        clocks.wall += DAY / 10
    assert Days(file).age(stamp) == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"notes": [[1]], "seen": 0, "time": 0}'])
def test_a_damaged_calendar_begins_anew(clocks, file, content):
    file.write_bytes(content)
    calendar = Days(file)
    assert calendar.age(clocks.wall - 500 * DAY) == 0
    clocks.pass_days(2, calendar)
    assert Days(file).age(time.time() - 500 * DAY) == pytest.approx(2)


def test_a_calendar_that_cannot_be_kept_still_counts(clocks, tmp_path):
    calendar = Days(tmp_path / "not there" / "days.json")
    clocks.pass_days(2, calendar)
    assert calendar.age(clocks.wall - 2 * DAY) == pytest.approx(2)
