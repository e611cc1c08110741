from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from shared.cameras import extrinsics
from shared.cameras.pose import pose, rotation_x, rotation_y
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.twelve import twelve
from shared.errors import RecamError

DATA = Path(__file__).parents[2] / "data"
PUBLIC = DATA / "preset_camera_extrinsics.json"
LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
NAMES = [f"cam{i:02}" for i in range(1, 11)]


def matrices(path):
    """(frames, cameras, 16) numbers, read apart from the code under test."""
    data = json.loads(Path(path).read_text())
    return np.array(
        [
            [[float(n) for n in re.findall(r"[-+.\de]+", text)] for text in cameras.values()]
            for cameras in data.values()
        ]
    )


@pytest.mark.parametrize("number", range(10))
def test_the_public_file_gives_the_models_numbers(number):
    camera = extrinsics.read(PUBLIC, LENS, NAMES[number])
    assert (len(camera), camera.rate) == (81, 15)
    expected = np.load(DATA / "presets_10x21x12.npy")[number]
    assert np.abs(twelve(Shot(camera)) - expected).max() < 1e-6


def test_the_public_file_comes_back_as_it_was(tmp_path):
    cameras = {name: extrinsics.read(PUBLIC, LENS, name) for name in extrinsics.names(PUBLIC)}
    assert list(cameras) == NAMES
    extrinsics.write(tmp_path / "again.json", cameras)
    again = matrices(tmp_path / "again.json")
    assert again.shape == (81, 10, 16)
    assert np.abs(again - matrices(PUBLIC)).max() < 1e-6
    for name, camera in cameras.items():
        reread = extrinsics.read(tmp_path / "again.json", LENS, name)
        assert np.abs(reread.poses - camera.poses).max() < 1e-12


def test_any_camera_comes_back(tmp_path):
    poses = [
        pose(rotation_y(0.3 * i) @ rotation_x(0.1 * i), (1e-7 * i, -3.14159265, 1e4 / 3))
        for i in range(5)
    ]
    extrinsics.write(tmp_path / "one.json", {"hero": Trajectory(poses, LENS, 24)})
    camera = extrinsics.read(tmp_path / "one.json", LENS, rate=24)
    assert camera.rate == 24
    assert np.abs(camera.poses - poses).max() < 1e-9


def test_axes_are_unreals_on_paper(tmp_path):
    # A camera 1 m to the right of, 2 m below and 3 m ahead of the origin, turned to the right.
    camera = Trajectory([pose(rotation_y(np.pi / 2), (1, 2, 3))], LENS, 24)
    extrinsics.write(tmp_path / "one.json", {"cam01": camera})
    forward, right, up, position = matrices(tmp_path / "one.json")[0, 0].reshape(4, 4)[:, :3]
    assert np.allclose(forward, (0, 1, 0))  # Unreal: x ahead, y right, z up
    assert np.allclose(right, (-1, 0, 0))
    assert np.allclose(up, (0, 0, 1))
    assert np.allclose(position, (300, 100, -200))


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def three_frames():
    text = "[1 0 0 0] [0 1 0 0] [0 0 1 0] [0 0 0 1] "
    return {f"frame{i}": {"cam01": text, "cam02": text} for i in range(3)}


def test_a_missing_frame_is_named(tmp_path):
    data = three_frames()
    del data["frame1"]
    with pytest.raises(RecamError, match="frame 1:") as caught:
        extrinsics.read(write(tmp_path / "c.json", data), LENS, "cam01")
    assert caught.value.code == "camera_format"


@pytest.mark.parametrize("camera", ["cam07", None])
def test_a_camera_that_is_not_there_or_not_named_lists_those_that_are(tmp_path, camera):
    with pytest.raises(RecamError, match="cam01, cam02") as caught:
        extrinsics.read(write(tmp_path / "c.json", three_frames()), LENS, camera)
    assert caught.value.code == "camera_name"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1 0 0 0] [0 1 0 0] [0 0 1 0]",
        "[1 0 0] [0 1 0] [0 0 1] [0 0 0]",
        "[1 0 0 0] [0 1 0 0] [0 0 1 0] [0 0 0 x]",
        "[1 0 0 0] [0 1 0 0] [0 0 1 0] [0 0 0 2]",
        "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "[1 0 0 0] [0 1 0 0] [0 0 1 0] [0 0 0 1] and more",
        None,
        12,
        [1, 2],
    ],
)
def test_a_malformed_matrix_is_named_with_camera_and_frame(tmp_path, text):
    data = three_frames()
    data["frame2"]["cam02"] = text
    with pytest.raises(RecamError, match=r"[cC]amera cam02.* at frame 2 ?") as caught:
        extrinsics.read(write(tmp_path / "c.json", data), LENS, "cam02")
    assert caught.value.code == "camera_format"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("[1 0 0 0] [0 1 0 0] [0 0 1 0] [nan 0 0 1]", "not finite"),
        ("[1 0 0 0] [0 1 0 0] [0 0 1 0] [1e999 0 0 1]", "not finite"),
        ("[1 0 0 0] [0 -1 0 0] [0 0 1 0] [0 0 0 1]", "mirrored"),
        ("[2 0 0 0] [0 2 0 0] [0 0 2 0] [0 0 0 1]", "not a rotation"),
    ],
)
def test_a_matrix_that_is_no_pose_is_refused_with_its_frame(tmp_path, rows, says):
    data = three_frames()
    data["frame1"]["cam01"] = rows
    with pytest.raises(RecamError, match=f"frame 1 .*{says}") as caught:
        extrinsics.read(write(tmp_path / "c.json", data), LENS, "cam01")
    assert caught.value.code == "camera_pose"


@pytest.mark.parametrize("data", [[], {}, {"frame0": []}, {"frame0": {}}, {"frame1": {}}, 3, None])
def test_other_json_is_refused(tmp_path, data):
    with pytest.raises(RecamError):
        extrinsics.read(write(tmp_path / "c.json", data), LENS)


def test_cameras_of_different_length_cannot_share_a_file(tmp_path):
    cameras = {n: Trajectory([np.eye(4)] * len(n), LENS, 24) for n in ("a", "bb")}
    for wrong in (cameras, {}):
        with pytest.raises(RecamError) as caught:
            extrinsics.write(tmp_path / "c.json", wrong)
        assert caught.value.code == "camera_frames"
    assert not (tmp_path / "c.json").exists()
