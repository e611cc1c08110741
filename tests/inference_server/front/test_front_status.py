"""How a server says it is: to each client its own jobs, of the others only how many."""

from __future__ import annotations

import json

import pytest
from servers import until
from takes import LONG, SHORT, another_user, rendering, request

from shared.client.client import Client
from shared.errors import RecamError

WAIT = 60.0
CLIP = "ep07 secret rooftop"


def status(client: Client) -> dict:
    return client.ask("server.status", {}).result(WAIT)


def test_it_answers_while_jobs_are_at_work_and_tells_nobodys_jobs_to_another(
    server, short_clip, long_clip, tmp_path, monkeypatch
):
    with Client(server.address, patience=30) as client:
        done = client.shoot(request(SHORT, name=CLIP), [short_clip], tmp_path / "a.mp4")
        assert done.wait(WAIT).stage == "finished"
        at_work = rendering(client.shoot(request(LONG, name=CLIP), [long_clip], tmp_path / "b.mp4"))
        waits = client.shoot(request(LONG, name=CLIP), [long_clip], tmp_path / "c.mp4")
        until(lambda: waits.state.stage == "queued")
        mine = status(client)
        with (
            another_user(server, tmp_path / "another", monkeypatch) as key,
            Client(server.address, key, patience=30) as other,
        ):
            theirs = status(other)
        at_work.cancel()
        waits.cancel()

    assert mine["queue"]["yours"] == [
        {"job": at_work.id, "stage": "rendering", "ahead": 0},
        {"job": waits.id, "stage": "queued", "ahead": 1},
    ]
    assert theirs["queue"] == {"at_work": 1, "waiting": 1, "yours": []}
    for job in (done, at_work, waits):
        assert job.id not in json.dumps(theirs)
    assert CLIP not in json.dumps(theirs)
    assert theirs["disk"]["yours"] == 0 < mine["disk"]["yours"]
    assert mine["disk"]["clips"] > long_clip.stat().st_size
    assert mine["ended"] == {"finished": 1}
    lane = next(lane for lane in mine["lanes"] if lane["at_work"])
    assert lane["engines"] == ["projection"] and lane["worker"] == "up"
    assert lane["waiting"] == 1 and lane["steps"] == LONG
    for memory in (mine["memory"], lane["memory"]):
        assert 10e6 < memory < 2e9
    assert mine["limits"]["waiting_per_client"] > 0
    assert mine["packages"]["pyzmq"]


def test_a_worker_that_took_anothers_place_is_counted(server):
    with Client(server.address, patience=30) as client:
        server.worker().kill()
        preview = until(
            lambda: next((lane for lane in status(client)["lanes"] if lane["restarts"]), None)
        )
    assert (preview["name"], preview["restarts"]) == ("preview", 1)


def test_the_command_says_it_in_sentences_and_in_json(server, short_clip, tmp_path):
    with Client(server.address, patience=30) as client:
        client.shoot(request(SHORT), [short_clip], tmp_path / "o.mp4").wait(WAIT)
        told = json.loads(server.run("status", "--json").stdout)
        assert told.keys() == status(client).keys()
    said = server.run("status").stdout
    assert "Jobs ended since the server started: 1 finished." in said
    assert "preview  (projection): worker up" in said
    assert "Jobs at work: 0. Jobs that wait: 0." in said
    assert "\nprojection can run: " in said and "\nrecammaster cannot run: " in said
    server.stop()
    done = server.run("status")
    assert done.returncode == 1 and "No Recam server has answered" in done.stderr


def test_a_question_with_more_in_it_is_refused(server):
    with Client(server.address, patience=30) as client:
        with pytest.raises(RecamError) as refused:
            client.ask("server.status", {"all": True}).result(WAIT)
        assert refused.value.code == "bad_message"
