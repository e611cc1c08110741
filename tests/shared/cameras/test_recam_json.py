from __future__ import annotations

import copy
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from shared.cameras import recam_json
from shared.cameras.pose import pose, rotation_x, rotation_y
from shared.cameras.recam_json import read_shot, shot_from_json, shot_to_json, write_shot
from shared.cameras.trajectory import MAX_FRAMES, Shot, Trajectory
from shared.errors import RecamError

DOCUMENT = Path(__file__).parents[3] / "docs" / "trajectory.md"
LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
RATE = Fraction(24000, 1001)


def wandering(seed, lenses=None):
    rng = np.random.default_rng(seed)
    poses = [
        pose(rotation_y(a) @ rotation_x(b), (c, d, e / 3))
        for a, b, c, d, e in rng.normal(size=(6, 5))
    ]
    return Trajectory(poses, LENS if lenses is None else lenses, RATE)


SHOT = Shot(
    wandering(1, LENS * np.linspace(1, 2.1, 6)[:, None] / 3),
    wandering(2),
    subject_distance=0.1 + 0.2,
)


def same(a, b):
    return a is b is None or (
        np.array_equal(a.poses, b.poses) and np.array_equal(a.lenses, b.lenses) and a.rate == b.rate
    )


@pytest.mark.parametrize("shot", [SHOT, Shot(SHOT.trajectory)], ids=["both", "no source camera"])
def test_a_shot_comes_back_to_the_last_bit(tmp_path, shot):
    write_shot(tmp_path / "shot.json", shot)
    for back in (
        read_shot(tmp_path / "shot.json"),
        shot_from_json(json.loads(json.dumps(shot_to_json(shot)))),
    ):
        assert same(back.trajectory, shot.trajectory)
        assert same(back.source_camera, shot.source_camera)
        assert back.subject_distance == shot.subject_distance


def test_a_written_file_has_one_pose_per_line(tmp_path):
    write_shot(tmp_path / "shot.json", SHOT)
    lines = (tmp_path / "shot.json").read_text().splitlines()
    assert sum(line.count(",") >= 11 for line in lines) == 12


def test_the_example_in_the_document_is_read_as_the_document_says():
    data = json.loads(re.search(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)[1])
    shot = shot_from_json(data)
    assert shot.trajectory.rate == RATE and shot.subject_distance == 4
    turned = [pose(rotation_y(np.radians(degrees))) for degrees in (0, 10, 20)]
    assert np.abs(shot.trajectory.poses - turned).max() < 1e-15
    assert np.array_equal(shot.source_camera.poses, [np.eye(4)] * 3)
    assert np.allclose(shot.trajectory.lenses, [LENS] * 3, atol=1e-15)
    assert set(data) == set(shot_to_json(shot)), "the document knows every field that is written"


def test_the_document_states_what_the_code_checks():
    text = DOCUMENT.read_text("utf-8")
    for stated in (recam_json.FORMAT, recam_json.AXES, recam_json.UNITS, f"{MAX_FRAMES:,}"):
        assert stated in text
    for field in shot_to_json(SHOT):
        assert f"| `{field}` |" in text


def test_what_may_be_left_out_may_be_left_out():
    data = shot_to_json(SHOT)
    del data["source_camera"], data["subject_distance"]
    shot = shot_from_json(data)
    assert shot.source_camera is None and shot.subject_distance == 4


def changed(path, value):
    """SHOT's JSON with one place changed; ``...`` takes it out."""
    data = copy.deepcopy(shot_to_json(SHOT))
    place = data
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
WRONG_POSES = {
    "null": (None, "missing"),
    "mirrored": ([-1, *IDENTITY[1:]], "mirrored"),
    "scaled": ([3.0 * n for n in IDENTITY], "not a rotation"),
    "NaN": ([float("nan"), *IDENTITY[1:]], "not finite"),
    "Infinity": ([*IDENTITY[:3], float("inf"), *IDENTITY[4:]], "not finite"),
    "null inside": ([*IDENTITY[:3], None, *IDENTITY[4:]], "list of 12 numbers"),
    "true inside": ([True, *IDENTITY[1:]], "list of 12 numbers"),
    "words inside": (["1", *IDENTITY[1:]], "list of 12 numbers"),
    "lists inside": ([[1], *IDENTITY[1:]], "list of 12 numbers"),
    "16 numbers": (np.eye(4).ravel().tolist(), "list of 12 numbers"),
    "4x4": (np.eye(4).tolist(), "list of 12 numbers"),
    "empty": ([], "list of 12 numbers"),
    "a word": ("identity", "list of 12 numbers"),
    "too large": ([10**400, *IDENTITY[1:]], "matrix of numbers"),
}


@pytest.mark.parametrize("camera", ["trajectory", "source_camera"])
@pytest.mark.parametrize("name", WRONG_POSES)
def test_a_wrong_pose_is_refused_with_its_camera_and_frame(tmp_path, name, camera):
    wrong, says = WRONG_POSES[name]
    # Through a real file: json.dumps writes NaN and Infinity as other programs do.
    (tmp_path / "shot.json").write_text(json.dumps(changed([camera, "poses", 4], wrong)))
    with pytest.raises(RecamError, match=f"frame 4 .*{says}") as caught:
        read_shot(tmp_path / "shot.json")
    assert caught.value.code == "camera_pose"
    assert camera.replace("_", " ") in caught.value.sentence


def test_a_number_beyond_any_float_is_refused_with_its_frame(tmp_path):
    text = json.dumps(changed(["trajectory", "poses", 3, 3], 123456789)).replace(
        "123456789", "1e999"
    )
    (tmp_path / "shot.json").write_text(text)
    with pytest.raises(RecamError, match=r"frame 3 .*not finite"):
        read_shot(tmp_path / "shot.json")


@pytest.mark.parametrize(
    "wrong", [None, [1, 1, 1], [0, 1, 0, 0], [True] * 4, [float("nan")] * 4, "x"]
)
def test_a_wrong_lens_is_refused_with_its_frame(wrong):
    with pytest.raises(RecamError, match="frame 2 ") as caught:
        shot_from_json(changed(["trajectory", "lenses", 2], wrong))
    assert caught.value.code == "camera_lens"


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        *[([f], ..., "camera_format") for f in ("format", "version", "axes", "units", "rate")],
        (["trajectory"], ..., "camera_format"),
        (["trajectory"], None, "camera_format"),
        (["trajectory"], [], "camera_format"),
        (["trajectory", "poses"], ..., "camera_format"),
        (["trajectory", "poses"], {}, "camera_format"),
        (["trajectory", "poses"], [], "camera_frames"),
        (["trajectory", "lenses"], ..., "camera_format"),
        (["trajectory", "lenses"], 3, "camera_format"),
        (["trajectory", "lenses"], [LENS.tolist()] * 2, "camera_lens"),
        (["trajectory", "fov"], 90, "camera_format"),
        (["source_camera"], "none", "camera_format"),
        (["source_camera", "poses"], [IDENTITY], "camera_source"),
        (["subject_distanc"], 3, "camera_format"),
        (["format"], "recam", "camera_format"),
        (["format"], {}, "camera_format"),
        (["version"], 2, "camera_version"),
        (["version"], "1", "camera_version"),
        (["version"], True, "camera_version"),
        (["version"], 1.5, "camera_version"),
        (["version"], [], "camera_version"),
        (["axes"], "x right, y up, z backward", "camera_format"),
        (["units"], "centimetres", "camera_format"),
        *[
            (["rate"], rate, "camera_rate")
            for rate in (
                "fast",
                25,
                "0",
                "0/1",
                "1/0",
                "-25",
                "1e999999999",
                "25/",
                None,
                "9" * 5000,
            )
        ],
        *[(["subject_distance"], d, "camera_format") for d in ("4", None, True, [], 10**400)],
        *[
            (["subject_distance"], d, "subject_distance")
            for d in (0, -1, float("nan"), float("inf"))
        ],
    ],
)
def test_anything_else_that_is_wrong_gets_its_sentence(path, value, code):
    with pytest.raises(RecamError) as caught:
        shot_from_json(changed(path, value))
    assert caught.value.code == code
    assert len(str(caught.value)) < 300


def test_another_version_is_told_apart_even_with_other_fields():
    with pytest.raises(RecamError) as caught:
        shot_from_json({"format": "recam-shot", "version": 2, "path": []})
    assert caught.value.code == "camera_version"


@pytest.mark.parametrize("data", [None, [], 3, "shot", {}])
def test_what_is_no_object_gets_its_sentence(data):
    with pytest.raises(RecamError) as caught:
        shot_from_json(data)
    assert caught.value.code == "camera_format"


@pytest.mark.parametrize("field", ["poses", "lenses"])
def test_too_many_frames_are_refused_before_they_are_looked_at(field):
    # Not one entry is a pose: were they looked at first, the error would be about frame 0.
    with pytest.raises(RecamError) as caught:
        shot_from_json(changed(["trajectory", field], [0] * (MAX_FRAMES + 1)))
    assert caught.value.code == "camera_frames"


def test_what_documents_a_take_is_passed_over_by_readers(tmp_path):
    write_shot(tmp_path / "take.json", SHOT, {"engine": "projection", "clip": "shot [1]"})
    assert same(read_shot(tmp_path / "take.json").trajectory, SHOT.trajectory)
    written = json.loads((tmp_path / "take.json").read_text())
    assert written["take"] == {"engine": "projection", "clip": "shot [1]"}
