"""The small picture of a job at work, from its engine to whoever follows it."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from proxy import Proxy
from servers import until
from takes import LONG, another_user

from inference_server.video.reader import Reader
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.client.client import Client
from shared.client.connection import Connection
from shared.client.pictures import picture_in
from shared.errors import RecamError
from shared.protocol.limits import PICTURE_SIDE
from shared.protocol.messages import Message
from shared.protocol.request import JobRequest


@pytest.fixture
def seen_job(client, long_clip, tmp_path):
    """A job whose take is the clip as it is, once there is a picture of it."""
    lens = lens_from_focal(35.0, 36.0, 16 / 9)
    asked = JobRequest(shot=Shot(make_move("static", LONG, Fraction(25), lens)), parts=())
    job = client.shoot(asked, [long_clip], tmp_path / "take.mp4")
    until(lambda: job.state.ended or job.state.picture is not None)
    assert job.state.stage == "rendering", job.state
    yield job
    job.cancel()
    job.wait(60)


def test_it_is_small_and_shows_a_frame_of_the_take(seen_job, long_clip):
    picture = seen_job.state.picture
    assert (picture.shape, picture.dtype) == ((PICTURE_SIDE * 9 // 16, PICTURE_SIDE, 3), np.uint8)
    frame = next(iter(Reader(long_clip)))
    assert abs(picture.mean() - frame.mean()) < 5 and picture.std() > 20


def test_it_changes_while_the_job_goes_on_and_is_gone_at_its_end(client, seen_job):
    first = seen_job.state.picture
    until(lambda: seen_job.state.ended or seen_job.state.picture is not first)
    assert seen_job.state.picture is not None
    seen_job.cancel()
    assert seen_job.wait(60).picture is None and seen_job._pictures.newest is None
    told = client.ask("job.picture", {"job": seen_job.id}).result(10)
    assert told == {"job": seen_job.id, "number": 0, "width": 0, "height": 0}


def test_whoever_follows_the_job_later_sees_it_at_once(client, seen_job):
    with Client(client.address) as other:
        followed = other.attach(seen_job.id)
        until(lambda: followed.state.picture is not None)
        assert followed.state.picture.shape == seen_job.state.picture.shape


def test_on_a_slow_line_pictures_are_left_out_not_queued(shared_server, seen_job, monkeypatch):
    waiting, most, asked = 0, 0, 0
    post = Connection.post

    def counting(connection, kind, body, data=b""):
        nonlocal waiting, most, asked
        future = post(connection, kind, body, data)
        if kind == "job.picture" and connection.address == proxy.address:
            waiting, asked = waiting + 1, asked + 1
            most = max(most, waiting)

            def answered(_):
                nonlocal waiting
                waiting -= 1

            future.add_done_callback(answered)
        return future

    with Proxy(shared_server.address) as proxy, Client(proxy.address) as slow:
        slow.server()
        monkeypatch.setattr(Connection, "post", counting)
        proxy.slow = 0.4
        before, followed, newest = seen_job._pictures.number, slow.attach(seen_job.id), 0
        while asked < 2 and not followed.state.ended:
            newest = max(newest, seen_job._pictures.number)
            time.sleep(0.01)
        assert most == 1 and asked < newest - before, "some were never asked for"


def test_nobody_elses_is_seen(shared_server, seen_job, tmp_path, monkeypatch):
    with (
        another_user(shared_server, tmp_path / "eve", monkeypatch) as key,
        Client(shared_server.address, key) as eve,
        pytest.raises(RecamError) as caught,
    ):
        eve.ask("job.picture", {"job": seen_job.id}).result(10)
    assert caught.value.code == "no_such_job"


@pytest.mark.parametrize(("width", "height", "size"), [(2, 2, 5), (0, 0, 0), (2, 0, 0)])
def test_what_is_not_as_large_as_it_says_is_no_picture(width, height, size):
    message = Message("job.picture", {"width": width, "height": height}, data=bytes(size))
    assert picture_in(message) is None
