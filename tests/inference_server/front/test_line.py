"""Nobody's five jobs wait behind somebody's five hundred."""

from __future__ import annotations

import random

from inference_server.front.jobs.line import line

GREEDY, MODEST = "greedy", [f"client {number}" for number in range(99)]


def served(waiting: list[tuple[int, str]], turns: dict[str, int], most: int = 10**6):
    """Numbers and owners in the order in which a server with one worker starts them."""
    waiting, turns, order = list(waiting), dict(turns), []
    while waiting and len(order) < most:
        number = line(waiting, turns)[0]
        (job,) = (job for job in waiting if job[0] == number)
        waiting.remove(job)
        turns[job[1]] = max(turns.values(), default=0) + 1
        order.append(job)
    return order


def test_one_who_sends_500_jobs_does_not_hold_up_99_who_send_5():
    waiting = [(number, GREEDY) for number in range(500)]
    waiting += [(500 + number, MODEST[number // 5]) for number in range(5 * 99)]
    order = served(waiting, {})
    assert len(order) == len(waiting)
    # Five rounds of a job each; then the greedy one has the server to itself.
    for begin in range(0, 500, 100):
        assert {owner for _, owner in order[begin : begin + 100]} == {GREEDY, *MODEST}
    assert {owner for _, owner in order[500:]} == {GREEDY}
    for owner in (GREEDY, *MODEST):
        own = [number for number, whose in order if whose == owner]
        assert own == sorted(own)


def test_the_line_is_what_will_be_served():
    dice = random.Random(7)
    waiting = [(number, dice.choice("abcde")) for number in range(60)]
    turns = {"b": 3, "c": 9, "e": 1}
    assert line(waiting, turns) == [number for number, _ in served(waiting, turns)]


def test_whoever_was_served_least_lately_is_next():
    waiting = [(1, "often"), (2, "often"), (3, "seldom"), (4, "new"), (5, "newer")]
    assert line(waiting, {"often": 12, "seldom": 3}) == [4, 5, 3, 1, 2]


def test_a_stream_of_jobs_starves_nobody():
    """One who sends a new job with every one that is started, and one who sent a single one."""
    waiting, turns, started = [(1, "stream"), (2, "stream"), (3, "once")], {}, []
    for number in range(4, 20):
        (job,) = served(waiting, turns, 1)
        waiting = sorted([*(set(waiting) - {job}), (number, "stream")])
        turns[job[1]] = number
        started.append(job)
    assert started[1] == (3, "once")


def test_nobody_waits_where_nothing_waits():
    assert line([], {"a": 1}) == []
