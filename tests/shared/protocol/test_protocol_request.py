"""A job's request: the same after its way over the wire, refused where it makes no sense."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot, Trajectory
from shared.errors import RecamError
from shared.protocol.limits import MOST_FRAMES
from shared.protocol.messages import Message, pack, unpack
from shared.protocol.request import JobRequest, new_id
from shared.protocol.schema import check_request

SHOT = Shot(make_move("orbit", 5, Fraction(30000, 1001), lens_from_focal(35.0, 36.0, 16 / 9)))
REQUEST = JobRequest(
    shot=SHOT,
    parts=("ab" * 32, "cd" * 32),
    first=7,
    name="Bär 1.mov",
    depth="ef" * 32,
    start="01" * 32,
    audio=False,
    untagged_matrix=6,
    settings={"strength": 0.5, "edges": "soft", "steps": 4, "fill": True},
    delete_on_delivery=True,
)


def arrive(body: dict, data: bytes) -> JobRequest:
    message = unpack(pack(Message("job.submit", body, data=data)))
    check_request(message)
    return JobRequest.from_message(message.body, message.data)


def test_a_request_arrives_as_it_was_sent():
    arrived = arrive(REQUEST.to_body(), REQUEST.shot_data())
    assert replace(arrived, shot=SHOT) == REQUEST
    assert arrived.shot.trajectory.rate == SHOT.trajectory.rate
    assert np.array_equal(arrived.shot.trajectory.poses, SHOT.trajectory.poses)
    assert np.array_equal(arrived.shot.trajectory.lenses, SHOT.trajectory.lenses)
    assert arrived.frames == 5


def test_ids_are_fresh():
    assert new_id() != new_id()
    assert JobRequest(SHOT, ()).job != JobRequest(SHOT, ()).job


@pytest.mark.parametrize(
    "change",
    [
        {"parts": []},
        {"parts": ["ab" * 32] * 1_001},
        {"parts": ["/etc/passwd"]},
        {"parts": "ab" * 32},
        {"first": -1},
        {"first": 0.5},
        {"name": "x" * 201},
        {"engine": "x" * 41},
        {"depth": "../depth"},
        {"start": "../take"},
        {"audio": 1},
        {"untagged_matrix": 9},
        {"settings": {"path": ["a"]}},
        {"job": "../../etc"},
        {"delete_on_delivery": 1},
        {"path": "clip.mov"},
    ],
    ids=lambda change: str(change)[:30],
)
def test_a_request_that_makes_no_sense_is_refused(change):
    with pytest.raises(RecamError) as caught:
        arrive(REQUEST.to_body() | change, REQUEST.shot_data())
    assert caught.value.code == "bad_message"


def test_a_shot_that_is_none_is_refused():
    with pytest.raises(RecamError) as caught:
        arrive(REQUEST.to_body(), b"\x80\x04N.")
    assert caught.value.code == "bad_message"
    with pytest.raises(RecamError) as caught:
        arrive(REQUEST.to_body(), b"{}")
    assert caught.value.code == "camera_format"


def test_a_pose_that_overflows_is_refused_with_its_frame():
    shot = json.loads(REQUEST.shot_data())
    shot["trajectory"]["poses"][3][3] = 12345.5
    data = json.dumps(shot).replace("12345.5", "1e999").encode()
    with pytest.raises(RecamError, match="frame 3") as caught:
        arrive(REQUEST.to_body(), data)
    assert caught.value.code == "camera_pose"


def test_a_name_with_characters_that_cannot_be_shown_travels_without_them():
    name = "take\x1b[2J\n\ud8ff\u202e.mov"  # as a file's name may be
    arrived = arrive(replace(REQUEST, name=name).to_body(), REQUEST.shot_data())
    assert arrived.name == "take [2J   .mov"


def test_an_older_clients_takes_stay_where_nothing_is_said_of_delivery():
    body = REQUEST.to_body()
    del body["delete_on_delivery"]
    assert arrive(body, REQUEST.shot_data()).delete_on_delivery is False


def test_a_shot_of_too_many_frames_is_neither_sent_nor_read():
    lens = lens_from_focal(35.0, 36.0, 16 / 9)
    long = Shot(Trajectory.standing(np.eye(4), lens, Fraction(25), MOST_FRAMES + 1))
    with pytest.raises(RecamError) as caught:
        replace(REQUEST, shot=long).shot_data()
    assert caught.value.code == "shot_size" and str(MOST_FRAMES + 1) in caught.value.sentence
    row = b"[1,0,0,0,0,1,0,0,0,0,1,0],"
    for rows in (row * (MOST_FRAMES + 1), b"[]," * 500_000, b"{}," * 500_000, b"0," * 4_000_000):
        data = REQUEST.shot_data()
        at = data.index(b"[[1.0,")
        with pytest.raises(RecamError) as caught:
            arrive(REQUEST.to_body(), data[: at + 1] + rows + data[at + 1 :])
        assert caught.value.code == "bad_message"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda shot: shot["trajectory"]["poses"].insert(1, 0), "bad_message"),
        (lambda shot: shot["trajectory"]["poses"].insert(1, None), "bad_message"),
        (lambda shot: shot["trajectory"]["poses"].insert(1, "row"), "bad_message"),
        (lambda shot: shot.update(rate=[25.0]), "bad_message"),
        (lambda shot: shot.update(take={"note": [[1.0]]}), "bad_message"),
        (lambda shot: shot["trajectory"]["poses"].insert(1, []), "bad_message"),
        (lambda shot: shot["trajectory"]["poses"].insert(1, [True] * 12), "camera_pose"),
        (lambda shot: shot["trajectory"]["poses"].insert(1, [0.0] * 11), "camera_pose"),
        (lambda shot: shot["trajectory"]["poses"].insert(1, [10**400] + [0.0] * 11), "camera_pose"),
        (lambda shot: shot["trajectory"]["lenses"].insert(1, [1.0] * 5), "camera_lens"),
        (lambda shot: shot["trajectory"].update(poses=[]), "camera_frames"),
        (lambda shot: shot["trajectory"].update(poses=[0.0] * 12), "bad_message"),
        (lambda shot: shot["trajectory"].update(poses={}), "camera_format"),
        (lambda shot: shot.update(trajectory=[[1.0] * 12]), "bad_message"),
        (
            lambda shot: shot.update(source_camera=shot["trajectory"] | {"poses": []}),
            "camera_frames",
        ),
    ],
)
def test_rows_that_are_none_are_refused(change, code):
    shot = json.loads(REQUEST.shot_data())
    change(shot)
    with pytest.raises(RecamError) as caught:
        arrive(REQUEST.to_body(), json.dumps(shot).encode())
    assert caught.value.code == code


def test_a_row_elsewhere_does_not_stand_for_a_pose_that_is_missing():
    shot = json.loads(REQUEST.shot_data())
    shot["trajectory"]["poses"][4] = None
    shot["take"] = shot["trajectory"]["poses"][0]
    with pytest.raises(RecamError, match="rows of numbers"):
        arrive(REQUEST.to_body(), json.dumps(shot).encode())


def test_rows_go_where_they_stand_whatever_the_order_of_fields():
    own = make_move("arc_left", 5, Fraction(30000, 1001), SHOT.trajectory.lenses[0])
    data = json.loads(replace(REQUEST, shot=Shot(SHOT.trajectory, own)).shot_data())
    turned = {name: data[name] for name in reversed(data)}
    turned["trajectory"] = {name: data["trajectory"][name] for name in ("poses", "lenses")}
    shot = arrive(REQUEST.to_body(), json.dumps(turned, indent=1).encode()).shot
    assert np.array_equal(shot.trajectory.poses, SHOT.trajectory.poses)
    assert np.array_equal(shot.source_camera.poses, own.poses)
    assert np.array_equal(shot.source_camera.lenses, own.lenses)
