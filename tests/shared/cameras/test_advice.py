from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from shared.cameras.advice import findings, listed
from shared.cameras.moves import MOVES, make_move
from shared.cameras.pose import inverse, pose, rotation_x, rotation_y
from shared.cameras.presets import PRESETS
from shared.cameras.trajectory import Shot, Trajectory

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
START = pose(rotation_y(0.7) @ rotation_x(-0.4), (3, -1, 12))
RATE = Fraction(15)


@pytest.fixture
def advised():
    """Codes of what is found about a move of 81 frames, the subject at 6 m."""

    def run(name="static", frames=81, **values):
        return found(Shot(make_move(name, frames, RATE, LENS, START, 6, values), None, 6))

    return run


def found(shot, **asked):
    return {finding.code: finding for finding in findings(shot, **asked)}


def frames_of(finding):
    return np.flatnonzero(finding.frames).tolist()


@pytest.mark.parametrize("name", [name for name, move in MOVES.items() if move.path])
def test_nothing_is_wrong_with_a_move_as_it_comes(advised, name):
    assert not advised(name)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pan_left", {"strength": 2.2}),
        ("tilt_up", {"strength": 2.9}),
        ("orbit", {"angle": -75}),
        ("dolly", {"distance": -1.0}),
        ("dolly", {"distance": 0.95}),
    ],
)
def test_nothing_is_wrong_up_to_what_was_trained(advised, name, values):
    assert not advised(name, **values)


@pytest.mark.parametrize(
    ("name", "values", "code", "says"),
    [
        ("pan_right", {"strength": 2.4}, "turned", "48 degrees"),
        ("tilt_down", {"strength": 3.2}, "turned", "32 degrees"),
        ("orbit", {"angle": 90}, "far", "90 degrees round the subject"),
        ("orbit", {"angle": -120}, "far", "120 degrees round the subject"),
        ("dolly", {"distance": -1.1}, "far", "6.6 m"),
        ("crane", {"height": 1.2}, "far", "7.2 m"),
    ],
)
def test_beyond_what_was_trained_is_too_far_from_there_on(advised, name, values, code, says):
    told = advised(name, **values)
    assert list(told) == [code] and says in told[code].sentence
    frames = frames_of(told[code])
    assert frames == list(range(frames[0], 81)) and 60 > 81 - frames[0] > 2
    assert f"at frames {frames[0]} to 80" in told[code].sentence


def test_an_arc_from_above_is_no_turn_besides():
    down = pose(rotation_x(np.radians(-35)))
    for degrees, codes in ((75, []), (130, ["far"])):
        values = {"angle": degrees}
        path = make_move("orbit", 81, RATE, LENS, down, values=values, up=(0, -1, 0))
        assert list(found(Shot(path))) == codes


def test_a_roll_is_a_turn():
    turns = np.linspace(0, np.pi / 2, 81)
    poses = np.repeat(START[None], 81, axis=0)
    roll = [[[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]] for a in turns]
    poses[:, :3, :3] = poses[:, :3, :3] @ roll
    assert list(found(Shot(Trajectory(poses, LENS, RATE)))) == ["turned"]


def test_the_subject_is_passed(advised):
    told = advised("dolly", distance=1.2)
    assert frames_of(told["behind"]) == list(range(67, 81))
    assert "behind the camera at frames 67 to 80" in told["behind"].sentence


@pytest.mark.parametrize(("frames", "wrong"), [(81, False), (24, False), (13, True), (9, True)])
def test_a_move_in_too_little_time_is_too_fast(advised, frames, wrong):
    told = advised("arc_left", frames=frames)
    assert ("fast" in told) == wrong
    if wrong:
        assert frames_of(told["fast"]) == list(range(frames)) and "in 4 frames" in str(told["fast"])


def test_only_the_fast_part_is_told():
    z = np.concatenate([np.linspace(0, 0.5, 40), np.linspace(0.5, 2.0, 6)[1:], np.full(36, 2.0)])
    poses = np.array([START @ pose(position=(0, 0, each)) for each in z])
    told = found(Shot(Trajectory(poses, LENS, RATE)))
    assert list(told) == ["fast"]
    frames = frames_of(told["fast"])
    assert frames[0] in (36, 37) and frames[-1] in (46, 47)
    assert not found(Shot(Trajectory(poses, LENS, RATE)), for_model=False)
    assert not found(Shot(Trajectory(poses[:3], LENS, RATE)))


def test_every_other_frame_is_twice_as_fast(advised):
    shot = Shot(make_move("arc_left", 20, RATE, LENS))
    assert not found(shot) and "fast" in found(shot, every=3)


@pytest.mark.parametrize(
    ("off", "says"),
    [
        (pose(position=(1, 0, 0)), "starts 1 m (with the subject at 6 m) and 0 degrees"),
        (pose(rotation_y(0.3)), "starts 0 m (with the subject at 6 m) and 17 degrees"),
        (pose(rotation_y(0.1), (0.5, 0, 0)), None),
    ],
)
def test_a_start_off_the_source_camera_is_told(off, says):
    source = make_move("static", 10, RATE, LENS, START)
    path = make_move("static", 10, RATE, LENS, START @ off)
    told = found(Shot(path, source, 6))
    assert list(told) == (["start"] if says else [])
    if says:
        assert says in told["start"].sentence and frames_of(told["start"]) == [0]


def test_a_shorter_lens_is_told_where_it_is():
    lenses = np.repeat(LENS[None], 30, axis=0)
    lenses[10:15, :2] *= np.array([0.99, 0.95, 0.9, 0.95, 0.99])[:, None]
    shot = Shot(Trajectory(np.repeat(START[None], 30, axis=0), lenses, RATE))
    told = found(shot, first_frame=101)
    assert frames_of(told["wide"]) == [10, 11, 12, 13, 14]
    assert "at frames 111 to 115: it sees 58.1 degrees across, the clip 53.1" in (
        told["wide"].sentence
    )
    longer = Trajectory(shot.trajectory.poses, LENS * (1.5, 1.5, 1, 1), RATE)
    still = Trajectory(shot.trajectory.poses, LENS, RATE)
    assert not found(Shot(longer, still))
    assert list(found(Shot(still, longer))) == ["wide"]
    shifted = Trajectory(still.poses, LENS + np.array([0, 0, 0.01, 0]), RATE)
    told = found(Shot(shifted, still))
    assert list(told) == ["wide"] and "shifted beyond the clip's edge" in told["wide"].sentence


def jumping(camera, at, by):
    poses = camera.poses.copy()
    poses[at:] = by @ poses[at:]
    return Trajectory(poses, camera.lenses, camera.rate)


@pytest.mark.parametrize("name", ["static", "arc_left", "handheld"])
@pytest.mark.parametrize("by", [pose(position=(0.9, 0, 0)), pose(rotation_x(0.2))])
def test_a_jump_is_a_cut_and_not_too_fast(name, by):
    shot = Shot(jumping(make_move(name, 81, RATE, LENS, START), 33, by))
    told = found(shot)
    assert frames_of(told["cut"]) == [33] and "jumps at frame 33," in told["cut"].sentence
    assert "fast" not in told


def test_a_move_that_is_fast_all_along_is_no_cut(advised):
    assert list(advised("arc_left", frames=6)) == ["fast"]
    assert "cut" not in advised("orbit", frames=6, angle=90)


def test_another_lens_from_one_frame_to_the_next_is_a_cut():
    lenses = np.repeat(LENS[None], 30, axis=0)
    lenses[12:, :2] *= 1.5
    told = found(Shot(Trajectory(np.repeat(START[None], 30, axis=0), lenses, RATE)))
    assert list(told) == ["cut"] and frames_of(told["cut"]) == [12]
    zoom = LENS * np.array([(1.03**i, 1.03**i, 1, 1) for i in range(30)])
    assert not found(Shot(Trajectory(np.repeat(START[None], 30, axis=0), zoom, RATE)))


def test_a_source_camera_that_jumps_is_a_cut_in_the_clip_and_the_next_shot_begins_there():
    still = make_move("static", 40, RATE, LENS, START)
    aside = START @ pose(position=(30, 0, 0)) @ inverse(START)
    both = jumping(still, 20, aside)
    told = findings(Shot(both, both))
    assert [each.code for each in told] == ["cut"]
    assert told[0].sentence.startswith("The source camera jumps at frame 20:")


def test_a_long_clip_is_seen_in_parts_each_from_where_its_source_camera_is():
    ahead = [START @ pose(position=(0, 0, 0.05 * i)) for i in range(400)]
    moving = Trajectory(ahead, LENS, RATE)
    # 20 m away in the end; but the subject stays where it was, and is passed.
    told = found(Shot(moving, moving))
    assert list(told) == ["behind"]
    still = Trajectory.standing(START, LENS, RATE, 400)
    assert "far" in found(Shot(moving, still))


def test_one_frame_has_nothing_wrong():
    for name in PRESETS:
        assert not found(Shot(make_move(name, 1, RATE, LENS)))


def test_many_parts_are_listed_in_short():
    assert listed(["1"]) == "1" and listed(["1", "2", "3"]) == "1, 2 and 3"
    assert listed(map(str, range(9))) == "0, 1, 2 and 6 more"
