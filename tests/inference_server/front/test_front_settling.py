"""The moment between a worker's last word on a job and its end in the journal, long or short."""

from __future__ import annotations

import pytest
from held_engine import HeldCode
from servers import until
from takes import SHORT, request

from shared.client import job as client_job
from shared.client.client import Client

WAIT = 60.0

# An end cannot be written down while there is a fault: a mistake, or no word from the journal.
FAULTS = """

from pathlib import Path

_record, RETRY_SECONDS = record, 0.2


def record(journal, entry, outcome):
    fault = Path(__file__).with_name("fault")
    if fault.exists() and fault.read_text() == "mistake":
        raise KeyError("x")
    if fault.exists():
        fault.unlink()
        give_up = journal._database.set_progress_handler  # SQLite asks whether to
        give_up(lambda: 1, 1)
        asyncio.get_running_loop().call_later(0.5, give_up, None, 0)
    _record(journal, entry, outcome)
"""


@pytest.fixture
def code(tmp_path):
    made = HeldCode(tmp_path / "code")
    with (made.folder / "inference_server/front/jobs/dispatcher.py").open("a") as dispatcher:
        dispatcher.write(FAULTS)
    return made


@pytest.fixture
def fault(code):
    """The file that says what is wrong."""
    return code.folder / "inference_server/front/jobs/fault"


@pytest.fixture
def client(server, code):
    server.stop()
    with Client(server.start(code=code.folder).address, patience=30) as made:
        yield made


@pytest.fixture
def shoot(client, short_clip, tmp_path):
    """Sends a job, that is held at work where it is asked."""

    def run(name, hold=False):
        asked = request(SHORT, engine="projection", settings={"prompt": "hold"} if hold else {})
        job = client.shoot(asked, [short_clip], tmp_path / f"{name}.mp4")
        until(lambda: not hold or job.state.doing == "holding")
        return job

    return run


def cancelling(client, job) -> None:
    job.cancel()
    until(lambda: stage(client, job) == "cancelling")


def stage(client, job) -> str:
    return next(each["stage"] for each in client.jobs() if each["job"] == job.id)


def test_an_end_is_written_down_whatever_goes_wrong_meanwhile(client, shoot, fault):
    fault.write_text("mistake")
    job, behind = shoot("a"), shoot("b")
    until(lambda: client.server()["trouble"] == "The server made a mistake.")
    fault.write_text("unread")
    assert job.wait(WAIT).stage == "finished"
    assert behind.wait(WAIT).stage == "finished"
    assert client.server()["trouble"] == ""


def test_who_waits_behind_is_told_without_asking(server, client, shoot, fault, monkeypatch):
    monkeypatch.setattr(client_job, "QUIET_SECONDS", 600.0)
    job, behind = shoot("a", hold=True), shoot("b")
    behind.wait(1.5)  # the news of its coming has been told
    fault.write_text("mistake")
    server.worker().kill()
    until(lambda: behind.state.engine_reason == "The server made a mistake.")
    fault.unlink()
    job.cancel()
    assert behind.wait(WAIT).stage == "finished"


def test_a_cancel_ends_a_job_that_would_be_tried_again(server, client, shoot, fault):
    job = shoot("a", hold=True)
    fault.write_text("mistake")
    server.worker().kill()
    until(lambda: client.server()["trouble"])
    cancelling(client, job)
    fault.unlink()
    until(lambda: stage(client, job) == "cancelled")
    assert shoot("b").wait(WAIT).stage == "finished"


def test_a_cancel_of_what_is_rendered_comes_too_late(client, shoot, fault, server):
    fault.write_text("mistake")
    job = shoot("a")
    until(lambda: [*server.state.glob("results/*/*/take.mp4")])
    cancelling(client, job)
    fault.unlink()
    until(lambda: stage(client, job) == "finished")
    client.ask("job.cancel", {"job": job.id}).result(WAIT)  # and once more
    assert "has ended already" not in server.log.read_text()
