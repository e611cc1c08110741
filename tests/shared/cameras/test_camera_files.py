from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from shared.cameras import json_file
from shared.cameras.files import read_camera
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.recam_json import write_shot
from shared.cameras.trajectory import Shot
from shared.errors import RecamError

PUBLIC = Path(__file__).parents[2] / "data" / "preset_camera_extrinsics.json"
LENS = lens_from_focal(24.0, 23.76, 16 / 9)


def test_recams_own_file_is_recognised_and_keeps_its_own_lens_and_rate(tmp_path):
    shot = Shot(make_move("arc_left", 9, Fraction(24), [2, 3, 0.5, 0.5]), subject_distance=7)
    write_shot(tmp_path / "any.name", shot)
    assert read_camera(tmp_path / "any.name").subject_distance == 7
    back = read_camera(tmp_path / "any.name", LENS)
    assert np.array_equal(back.trajectory.poses, shot.trajectory.poses)
    assert np.array_equal(back.trajectory.lenses, shot.trajectory.lenses)
    assert (back.trajectory.rate, back.subject_distance) == (24, 7)


def test_the_public_file_is_recognised_and_completed():
    shot = read_camera(PUBLIC, LENS, "cam09", rate=Fraction(25), subject_distance=3)
    assert np.abs(shot.trajectory.poses[:, :3, 3] - (0, 0, 0)).max() > 1
    assert np.array_equal(shot.trajectory.lenses[80], LENS)
    assert (len(shot.trajectory), shot.trajectory.rate, shot.subject_distance) == (81, 25, 3)
    assert shot.source_camera is None


def test_the_public_file_needs_a_lens_beside_it():
    with pytest.raises(RecamError, match="holds no lens") as caught:
        read_camera(PUBLIC, camera="cam09")
    assert caught.value.code == "camera_lens"


def test_a_byte_order_mark_is_no_hindrance(tmp_path):
    (tmp_path / "c.json").write_bytes(b"\xef\xbb\xbf" + PUBLIC.read_bytes())
    assert len(read_camera(tmp_path / "c.json", LENS, "cam01").trajectory) == 81


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00\x00\x93", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
        (b"[]", "no camera file"),
        (b"{}", "no camera file"),
        (b'"frame0"', "no camera file"),
        (b'{"poses": []}', "no camera file"),
    ],
)
def test_another_file_gets_one_clear_sentence(tmp_path, content, says):
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(RecamError, match=says) as caught:
        read_camera(tmp_path / "c.json", LENS)
    assert caught.value.code == "camera_file"
    assert str(tmp_path / "c.json") in caught.value.sentence


def test_a_folder_and_a_missing_file_get_their_sentences(tmp_path):
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "none.json", "is not there")):
        with pytest.raises(RecamError, match=says) as caught:
            read_camera(path, LENS)
        assert caught.value.code == "camera_file"


def test_a_name_that_the_system_refuses_gets_its_sentence(tmp_path):
    with pytest.raises(RecamError, match=r"cannot be read|is not there") as caught:
        read_camera(tmp_path / ("c" * 5000), LENS)
    assert caught.value.code == "camera_file"


def test_a_file_beyond_any_camera_is_not_read(tmp_path):
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(json_file.MAX_BYTES + 1)  # sparse: takes no room on the disk
    with pytest.raises(RecamError, match="larger"):
        read_camera(tmp_path / "huge.json", LENS)


def test_a_place_that_cannot_be_written_gets_its_sentence(tmp_path):
    with pytest.raises(RecamError, match="cannot be written") as caught:
        write_shot(tmp_path / "no folder" / "c.json", Shot(make_move(1, 3, 24, LENS)))
    assert caught.value.code == "camera_file"


def test_errors_inside_a_recognised_file_are_its_readers_own(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps({"format": "recam-shot", "version": 9}))
    with pytest.raises(RecamError) as caught:
        read_camera(tmp_path / "c.json", LENS)
    assert caught.value.code == "camera_version"
