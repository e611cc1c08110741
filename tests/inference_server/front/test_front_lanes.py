"""Previews have a worker of their own: what is long does not stand in their way."""

from __future__ import annotations

import pytest
from held_engine import HeldCode
from servers import until
from takes import SHORT, another_user, request

from shared.client.client import Client

WAIT = 60.0
AT = ("queued", "rendering", "downloading", "finished")  # the server has it


@pytest.fixture
def code(tmp_path):
    return HeldCode(tmp_path / "code")


@pytest.fixture
def client(server, code):
    server.stop()
    with Client(server.start(code=code.folder).address, patience=30) as made:
        yield made


@pytest.fixture
def shoot(client, short_clip, tmp_path):
    """Sends a job, that is held where it is asked; with another client if one is given."""
    numbers = iter(range(100))

    def run(engine, hold=False, by=client):
        settings = {"prompt": "hold"} if hold else {}
        asked = request(SHORT, engine=engine, settings=settings)
        job = by.shoot(asked, [short_clip], tmp_path / f"{next(numbers)}.mp4")
        until(lambda: job.state.doing == "holding" or (not hold and job.state.stage in AT))
        return job

    return run


def stages(jobs) -> list[str]:
    return [job.wait(WAIT).stage for job in jobs]


def test_a_preview_overtakes_a_long_job_and_those_that_wait_for_it(server, shoot, code):
    assert len(server.workers()) == 1, "the model's worker starts when it is needed"
    long = shoot("recammaster", hold=True)
    behind = [shoot("recammaster") for _ in range(2)]
    until(lambda: [job.state.ahead for job in behind] == [1, 2])
    assert stages([shoot("projection")]) == ["finished"]
    assert [job.state.stage for job in (long, *behind)] == ["rendering", "queued", "queued"]
    assert len(server.workers()) == 2
    code.let_go()
    assert stages([long, *behind]) == ["finished"] * 3


def test_what_befalls_one_lane_does_not_touch_the_other(server, shoot, code):
    long, preview = shoot("recammaster", hold=True), shoot("projection", hold=True)
    model = server.worker("model")
    server.worker("preview").kill()
    behind = shoot("projection")
    until(lambda: behind.state.ahead == 1)
    until(lambda: preview.state.doing == "holding" and server.workers() != [model])
    preview.cancel()
    assert stages([preview, behind]) == ["cancelled", "finished"]
    assert server.worker("model") == model and long.state.stage == "rendering"
    code.let_go()
    assert stages([long]) == ["finished"]


def test_an_estimate_counts_those_in_its_own_lane(client, shoot, code):
    shoot("recammaster", hold=True)
    ahead = {
        engine: client.estimate(96, 64, SHORT, 25, engine).result(WAIT)["ahead"]
        for engine in ("projection", "recammaster")
    }
    assert ahead == {"projection": 0, "recammaster": 1}
    code.let_go()


def test_nobody_waits_behind_all_that_another_has_sent(
    server, client, shoot, code, tmp_path, monkeypatch
):
    first = shoot("projection", hold=True)
    many = [shoot("projection") for _ in range(3)]
    until(lambda: [job.state.ahead for job in many] == [1, 2, 3])
    with (
        another_user(server, tmp_path / "other", monkeypatch) as key,
        Client(server.address, key, patience=30) as other,
    ):
        theirs = shoot("projection", by=other)
        until(lambda: theirs.state.ahead == 1)
        until(lambda: [job.state.ahead for job in many] == [2, 3, 4])
        code.let_go()
        assert stages([first, theirs, *many]) == ["finished"] * 5
        ended = when_ended(client) | when_ended(other)
    assert sorted(ended, key=ended.get) == [job.id for job in (first, theirs, *many)]


def when_ended(client) -> dict[str, float]:
    """Each of a client's jobs, and when it ended."""
    return {job["job"]: job["ended"] for job in client.jobs()}


def test_both_workers_go_with_their_server(server, shoot):
    shoot("recammaster", hold=True)
    workers = server.workers()
    assert len(workers) == 2
    assert server.stop() == 0
    assert not any(worker.is_running() for worker in workers)
