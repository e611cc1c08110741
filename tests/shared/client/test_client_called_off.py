"""A job that is called off before it is accepted leaves nothing on the server: no file, no job."""

from __future__ import annotations

import hashlib
import threading

import numpy as np
import pytest
from odd_server import OddServer
from proxy import Proxy
from servers import until
from takes import LONG, SHORT, rendering, request

from shared.client import room, sent
from shared.client.client import Client
from shared.client.connection import Connection
from shared.protocol.limits import CHUNK_BYTES, CREDIT, DATA_BYTES

WAIT = 60.0
MANY = 20  # files


@pytest.fixture
def files(tmp_path):
    """A small file and a larger one that the server has never seen."""
    made = []
    for name, chunks in (("small.bin", 2), ("large.bin", 60)):
        made.append(tmp_path / name)
        made[-1].write_bytes(np.random.default_rng().bytes(chunks * CHUNK_BYTES))
    return made


@pytest.fixture
def proxy(shared_server):
    with Proxy(shared_server.address) as made:
        yield made


@pytest.fixture
def client(proxy):
    with Client(proxy.address, patience=20) as made:
        yield made


@pytest.fixture
def busy(shared_server, long_clip, tmp_path):
    """The server is at another job meanwhile."""
    with Client(shared_server.address) as other:
        first = rendering(other.shoot(request(LONG), [long_clip], tmp_path / "first.mp4"))
        yield
        first.cancel()
        first.wait(WAIT)


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A server that says what a test wants; the test is its user."""
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    with OddServer() as made:
        yield made


@pytest.fixture
def clip_sent(tmp_path):
    """Makes a job whose clip is soon sent."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"a clip " * 1000)
    return lambda client: client.shoot(request(SHORT), [clip], tmp_path / "take.mp4")


def under_way(client, proxy, files, out, **more):
    """A job whose large file is being sent, slowly."""
    proxy.slow = 0.02
    sending = client.shoot(request(SHORT, **more), files, out)
    until(lambda: sending.state.steps == 60 * CHUNK_BYTES and sending.state.step)
    return sending


def lying(server, kind: str) -> list:
    return [path for path in server.state.glob(f"{kind}/*/*") if path.is_file()]


@pytest.mark.parametrize("deleted", [True, False])
def test_called_off_it_leaves_nothing(shared_server, client, proxy, files, tmp_path, deleted):
    """What has arrived whole is held for another time, unless the job was to leave nothing."""
    before = len(lying(shared_server, "clips"))
    job = under_way(client, proxy, files, tmp_path / "take.mp4", delete_on_delivery=deleted)
    assert lying(shared_server, "uploads")
    job.cancel()
    assert job.wait(WAIT).stage == "cancelled"
    assert not lying(shared_server, "uploads")
    assert len(lying(shared_server, "clips")) - before == (not deleted)


def test_closed_it_leaves_what_it_can_take_up_again(shared_server, client, proxy, files, tmp_path):
    job = under_way(client, proxy, files, tmp_path / "take.mp4", delete_on_delivery=True)
    client.close()
    assert job.wait(WAIT).error.code == "client_closed" and "send it again" in job.state.error.hint
    [upload] = lying(shared_server, "uploads")
    assert upload.stat().st_size
    with Client(shared_server.address) as again:
        again.upload(files[1]).result(WAIT)


def test_what_another_job_sends_goes_on(shared_server, client, proxy, files, tmp_path):
    job = under_way(client, proxy, files, tmp_path / "take.mp4")
    other = client.upload(files[1])
    until(lambda: client._connection.sending.most_common(1)[0][1] == 2)
    job.cancel()
    assert job.wait(WAIT).stage == "cancelled"
    assert lying(shared_server, "uploads")
    proxy.slow = 0
    other.result(WAIT)
    assert not lying(shared_server, "uploads")


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("frames", [SHORT, 4_000])
def test_called_off_while_it_is_submitted_it_ends_there_too(
    shared_server, client, proxy, busy, long_clip, tmp_path, monkeypatch, frames, cut
):
    """Its shot in the message, or too long and sent as a file; and if the connection breaks."""
    post, made = Connection.post, []

    def calling_off(connection, kind, *more):
        answer = post(connection, kind, *more)
        if kind == "job.submit":
            until(lambda: made)[0].cancel()
            if cut and proxy.connections == 1:
                proxy.cut()
        return answer

    monkeypatch.setattr(Connection, "post", calling_off)
    asked = request(frames)
    assert (len(asked.shot_data()) > DATA_BYTES) == (frames != SHORT)
    made.append(client.shoot(asked, [long_clip], tmp_path / "take.mp4"))
    assert made[0].wait(WAIT).stage == "cancelled"
    assert {job["job"]: job["stage"] for job in client.jobs()}[made[0].id] == "cancelled"


def test_called_off_before_the_answer_it_is_cancelled_after_it(clip_sent, odd):
    """Asked sooner, or over a new connection, a server may know nothing yet of what it takes in."""
    odd.says["job.submit"] = None
    odd.says["job.attach"] = odd._job_cancel  # a state: it is cancelled
    with Proxy(odd.address) as proxy, Client(proxy.address) as client:
        job = clip_sent(client)
        until(lambda: "job.submit" in odd.asked)
        job.cancel()
        assert not job.wait(0.3).ended and "job.cancel" not in odd.asked
        del odd.says["job.submit"]
        proxy.cut()
        assert job.wait(WAIT).stage == "cancelled"
    asked = [kind for kind in odd.asked if kind in ("job.submit", "job.cancel")]
    assert asked == ["job.submit", "job.submit", "job.cancel"]


def test_called_off_and_then_refused_it_was_never_there(clip_sent, odd):
    ask = threading.Event()

    def refuse(body, data):
        ask.wait(WAIT)
        return "error", {"code": "server_full", "sentence": "It is full.", "hint": ""}

    odd.says["job.submit"] = refuse
    with Client(odd.address) as client:
        job = clip_sent(client)
        until(lambda: "job.submit" in odd.asked)
        job.cancel()
        ask.set()
        assert job.wait(WAIT).stage == "cancelled"
    assert odd.asked.count("blob.drop") == 1


def test_called_off_without_an_answer_it_is_not_said_to_be_cancelled(clip_sent, odd):
    odd.says["job.submit"] = None
    with Proxy(odd.address) as proxy, Client(proxy.address, patience=0.5) as client:
        job = clip_sent(client)
        until(lambda: "job.submit" in odd.asked)
        job.cancel()
        proxy.close()
        assert job.wait(WAIT).error.code == "server_unreachable" and job.submitted


def test_called_off_and_closed_before_the_answer_it_may_be_there(clip_sent, odd):
    odd.says["job.submit"] = None
    with Client(odd.address) as client:
        job = clip_sent(client)
        until(lambda: "job.submit" in odd.asked)
        job.cancel()
    error = job.wait(WAIT).error
    assert error.code == "client_closed" and job.id in error.hint


@pytest.fixture
def all_sent(odd, tmp_path):
    """Makes a job of many files that have been sent, and calls it off."""
    files = [tmp_path / f"{number}.bin" for number in range(MANY)]
    for number, file in enumerate(files):
        file.write_bytes(b"%d" % number)
    odd.says["job.submit"] = "error", {"code": "server_full", "sentence": "Full.", "hint": ""}

    def call_off(client):
        asked = request(SHORT, delete_on_delivery=True)
        job = client.shoot(asked, files, tmp_path / "take.mp4")
        until(lambda: job.state.trouble)
        job.cancel()
        assert job.wait(WAIT).stage == "cancelled"
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    return call_off


def test_many_files_are_dropped_as_a_server_can_take_it(odd, all_sent, monkeypatch, caplog):
    """The last one first; of no more than its credit it owes an answer."""
    monkeypatch.setattr(sent, "SECONDS", 0.3)
    dropped = []
    odd.says["blob.drop"] = lambda body, data: dropped.append(body["sha256"])
    with Client(odd.address) as client:
        files = all_sent(client)
    assert dropped == files[: -CREDIT - 1 : -1]
    assert "may stay there: no answer" in caplog.text


def test_a_file_that_the_server_could_not_drop_at_once_is_dropped(odd, all_sent, monkeypatch):
    """Or of which it could not say so, since the connection broke."""
    monkeypatch.setattr(room, "FIRST_SECONDS", 0.05)
    dropped, refused = [], []

    def drop(body, data):
        if len(refused) < CREDIT:
            refused.append(body)
            if len(refused) == CREDIT:
                proxy.cut()
            return "error", {"code": "client_limit", "sentence": "Too many.", "hint": ""}
        dropped.append(body["sha256"])
        return odd._blob_drop(body, data)

    odd.says["blob.drop"] = drop
    with Proxy(odd.address) as proxy, Client(proxy.address) as client:
        assert set(all_sent(client)) == set(dropped)
