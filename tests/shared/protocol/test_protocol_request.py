"""A job's request: the same after its way over the wire, refused where it makes no sense."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.errors import RecamError
from shared.protocol.request import JobRequest, new_id

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
)


def arrive(body: dict, data: bytes) -> JobRequest:
    return JobRequest.from_message(json.loads(json.dumps(body)), data)


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
        {"parts": ["ab" * 32] * 10_001},
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
