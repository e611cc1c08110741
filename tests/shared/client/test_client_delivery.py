"""What the server deletes once it hears that the takes are here, and what it hears in the end."""

from __future__ import annotations

import asyncio

import pytest
from proxy import Proxy
from servers import until
from takes import SHORT, request

from shared.client.client import Client
from shared.client.job import RemoteJob
from shared.errors import RecamError

WAIT = 60.0


def kept(server, job: str) -> list[str]:
    """The server's files of the job: takes and clips."""
    files = [*server.state.glob(f"results/*/{job}/*.mp4"), *server.state.glob("clips/*/*")]
    return [file.name for file in files]


@pytest.fixture
def done(shared_server, client, short_clip, tmp_path):
    """The id of a job that asks for deletion, once its take is here."""
    job = client.shoot(request(SHORT, delete_on_delivery=True), [short_clip], tmp_path / "take.mp4")
    assert job.wait(WAIT).stage == "finished"
    assert len(kept(shared_server, job.id)) == 2  # the client does not say so by itself
    return job.id


def test_takes_and_clip_are_deleted_when_they_are_delivered(
    shared_server, client, short_clip, done, tmp_path
):
    assert client.delivered(done).result(WAIT)["stage"] == "finished"
    assert kept(shared_server, done) == []
    error = client.attach(done, tmp_path / "again.mp4").wait(WAIT).error
    assert error.code == "result_gone" and [*tmp_path.glob(".*")] == []
    again = client.shoot(request(SHORT), [short_clip], tmp_path / "again.mp4")
    assert again.wait(WAIT).stage == "finished"  # its clip was sent again
    assert client.delivered(again.id).result(WAIT)["stage"] == "finished"
    assert len(kept(shared_server, again.id)) == 2  # nobody asked for more
    for clip in shared_server.state.glob("clips/*/*"):
        clip.unlink()


@pytest.mark.parametrize("way", ["sent", "received"])
def test_it_is_told_again_when_the_connection_breaks_before_the_answer(shared_server, done, way):
    with Proxy(shared_server.address) as proxy, Client(proxy.address) as client:
        client.server()
        proxy.links[0].swallow = way
        told = client.delivered(done)
        if way == "received":
            until(lambda: kept(shared_server, done) == [])
        else:
            before = proxy.sent
            until(lambda: proxy.sent > before)
        proxy.cut()
        assert told.result(WAIT)["stage"] == "finished"
        assert proxy.connections == 2
    assert kept(shared_server, done) == []


def test_a_clip_that_goes_between_upload_and_job_is_sent_again(
    shared_server, client, short_clip, done, tmp_path, monkeypatch
):
    submit, tries = RemoteJob._submit, []

    async def late(job, asked):
        tries.append(job)
        if len(tries) == 1:
            client.delivered(done)
            while kept(shared_server, done):
                await asyncio.sleep(0.01)
        await submit(job, asked)

    monkeypatch.setattr(RemoteJob, "_submit", late)
    job = client.shoot(request(SHORT, delete_on_delivery=True), [short_clip], tmp_path / "b.mp4")
    assert job.wait(WAIT).stage == "finished" and len(tries) == 2
    client.delivered(job.id).result(WAIT)
    assert kept(shared_server, job.id) == []


def test_anothers_delivery_is_none(shared_server, client, done):
    with pytest.raises(RecamError) as caught:
        client.delivered("0" * 32).result(WAIT)
    assert caught.value.code == "no_such_job"
    assert len(kept(shared_server, done)) == 2
    client.delivered(done).result(WAIT)
