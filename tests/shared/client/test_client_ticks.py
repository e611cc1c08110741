"""What a client is asked from a tick that must not wait, and what it says of a server away."""

from __future__ import annotations

import socket
import time

import pytest
from proxy import Proxy
from servers import until
from takes import LONG, SHORT, rendering, request

from inference_server.video.probe import probe
from shared.client.client import Client
from shared.errors import RecamError
from shared.protocol.messages import Message
from shared.protocol.request import new_id

TICK = 0.016


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """An address at which nothing listens."""
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}"


def took(call) -> float:
    """Seconds that the call has kept its caller, the least of a few."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def test_a_queue_is_listed_followed_and_cancelled_without_waiting(client, long_clip, tmp_path):
    job = rendering(client.shoot(request(LONG), [long_clip], tmp_path / "lost.mp4"))
    with Client(client.address) as other:
        listed = other.ask("job.list")
        about = other.ask("server.info")
        until(lambda: listed.done() and about.done())
        assert about.result()["protocol"] == 1
        assert listed.result()["jobs"][0]["job"] == job.id
        followed = other.attach(job.id, tmp_path / "take.mp4")
        rendering(followed)
        cancelled = other.ask("job.cancel", {"job": job.id})
        assert cancelled.result(30)["stage"] == "cancelling"
        assert followed.wait(30).stage == job.wait(30).stage == "cancelled"


def test_all_who_follow_a_job_are_told_and_forgotten(client, long_clip, tmp_path, monkeypatch):
    monkeypatch.setattr("shared.client.job.QUIET_SECONDS", 300.0)  # nobody asks
    job = rendering(client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4"))
    followed = [rendering(client.attach(job.id)) for _ in range(2)]
    job.cancel()
    assert [each.wait(30).stage for each in (job, *followed)] == ["cancelled"] * 3
    until(lambda: not client._jobs)


def test_a_finished_job_is_fetched_by_its_id(client, short_clip, tmp_path):
    done = client.shoot(request(SHORT), [short_clip], tmp_path / "a.mp4")
    assert done.wait(60).stage == "finished"
    assert client.attach(done.id, tmp_path / "b.mp4").wait(60).stage == "finished"
    assert probe(tmp_path / "b.mp4").frames == SHORT


def test_nothing_waits_for_a_server_that_is_not_there(nobody, short_clip, tmp_path):
    with Client(nobody, patience=30) as client:
        assert took(lambda: client.shoot(request(SHORT), [short_clip], tmp_path / "t.mp4")) < TICK
        assert took(lambda: client.attach(new_id())) < TICK
        assert took(lambda: client.ask("job.list")) < TICK
        asked = client.ask("server.info", seconds=0.5)
        with pytest.raises(RecamError) as caught:
            asked.result(30)
        assert caught.value.code == "server_unreachable"


def test_letting_go_need_not_wait_for_a_name_that_is_being_looked_up(nobody):
    client = Client(nobody)
    client._loop.call_soon_threadsafe(time.sleep, 0.5)  # as ZeroMQ's end does meanwhile
    began = time.perf_counter()
    client.close(0)
    assert time.perf_counter() - began < TICK
    client._thread.join(10)
    assert not client._thread.is_alive()


def test_a_client_that_is_let_go_as_news_comes_hears_no_more(server, long_clip, tmp_path):
    client = Client(server.address, patience=60)
    job = rendering(client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4"))
    server.worker().suspend()
    news = Message("job.state", client.ask("job.attach", {"job": job.id}).result(10))

    def let_go_as_it_is_read():
        job.take_event(news)
        client._loop.call_soon(client._loop.stop)

    client._loop.call_soon_threadsafe(let_go_as_it_is_read)
    client._thread.join(5)
    assert not client._thread.is_alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_clients_context_ends_whatever_fails_before(nobody, monkeypatch):
    """Left open, it would stop the thread that collects it."""
    client = Client(nobody)
    monkeypatch.delattr(type(client._connection), "close")
    client.close(10)
    assert not client._thread.is_alive() and client._context.closed


def test_a_job_that_is_called_off_at_once_is_cancelled(nobody, short_clip, tmp_path):
    with Client(nobody, patience=30) as client:
        for _ in range(20):
            job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
            job.cancel()
            assert job.wait(10).stage == "cancelled"


def test_a_server_that_does_not_answer_is_told_within_seconds(nobody, short_clip, tmp_path):
    with Client(nobody, patience=60) as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
        assert (job.state.stage, job.state.trouble) == ("connecting", "")
        told = until(lambda: job.state.trouble)
        assert job.state.stage == "connecting" and nobody in told and "yet" in told
        job.cancel()
        assert job.wait(10).trouble == ""


def test_a_connection_that_is_lost_is_told_until_it_is_back(server, long_clip, tmp_path):
    with Proxy(server.address) as proxy, Client(proxy.address, patience=60) as client:
        job = rendering(client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4"))
        assert not job.state.trouble
        server.kill()
        assert "lost" in until(lambda: job.state.trouble)
        server.start()
        until(lambda: not job.state.trouble)
        job.cancel()
        assert job.wait(60).stage == "cancelled"


def test_who_waits_is_told_when_fewer_wait_before_it(client, long_clip, tmp_path, monkeypatch):
    monkeypatch.setattr("shared.client.job.QUIET_SECONDS", 300.0)  # nobody asks: it is told
    jobs = []
    for number in range(3):
        jobs.append(client.shoot(request(LONG), [long_clip], tmp_path / f"{number}.mp4"))
        until(lambda: jobs[-1].state.stage in ("queued", "rendering"))
    first, second, third = jobs
    until(lambda: third.state.ahead == 2)
    second.cancel()
    until(lambda: third.state.ahead == 1)
    first.cancel()
    assert rendering(third).state.ahead == 0
    third.cancel()
    assert [job.wait(60).stage for job in jobs] == ["cancelled"] * 3
