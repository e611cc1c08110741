from __future__ import annotations

from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference_server.engines.recammaster import cuts
from inference_server.engines.recammaster.cuts import find_cuts, shots, time_code
from inference_server.video.reader import Reader
from shared.errors import RecamError

CLIPS = Path(__file__).parents[3] / "clips"
RATE = Fraction(25)


def small(path, first, frames):
    return [
        cv2.resize(frame, (192, 108), interpolation=cv2.INTER_AREA)
        for frame in Reader(path, first, frames)
    ]


CITY = small(CLIPS / "cityCC0.mpg", 90, 60)
CUT = 26  # 116 in the clip
A, B = CITY[:CUT], CITY[CUT:]
BUNNY = small(CLIPS / "bigbuckbunny.mp4", 0, 24)
STILL = next(iter(Reader(CLIPS / "bigbuckbunny.mp4", 0, 1)))


def exposed(frame, gain, offset=0):
    return np.clip(frame * float(gain) + offset, 0, 255).astype(np.uint8)


def test_the_cut_of_a_real_clip():
    assert shots(Reader(CLIPS / "cityCC0.mpg", 60, 100), RATE) == [(0, 56), (56, 44)]


def test_a_clip_without_a_cut():
    assert shots(Reader(CLIPS / "bigbuckbunny.mp4", 0, 30), RATE) == [(0, 30)]


@pytest.mark.parametrize(
    ("parts", "starts"),
    [
        ([A, BUNNY, B], [26, 50]),
        ([A, B[:1]], [26]),
        ([A[:1], B], [1]),
        ([A[:2], B[:2]], [2]),
        ([A, B[:1], BUNNY], [26, 27]),
        ([A, B[:2], BUNNY], [26, 28]),
        ([A, B[:4], BUNNY, A], [26, 30, 54]),
        ([A[:1] * 20, B[:1] * 20], [20]),
        ([A[:1], B[:1]], [1]),
        ([A[:1]], []),
    ],
)
def test_shots_of_any_length(parts, starts):
    assert list(find_cuts(chain(*parts))) == starts


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize(
    "flash",
    [
        lambda frame: np.full_like(frame, 255),
        lambda frame: exposed(frame, 4, 90),
        lambda frame: exposed(frame, 0.02),
        lambda frame: 255 - frame,
        lambda frame: BUNNY[0],
    ],
    ids=["white", "bright", "black", "negative", "another picture"],
)
def test_a_flash_is_no_cut(flash, frames):
    clip = [*A[:10], *map(flash, A[10 : 10 + frames]), *A[10 + frames :], *B]
    assert list(find_cuts(clip)) == [CUT]


def test_a_picture_that_stays_is_no_flash():
    clip = [*A[:10], *BUNNY[: cuts.REACH], *A[10:]]
    assert list(find_cuts(clip)) == [10, 10 + cuts.REACH]


def test_light_and_grain_are_no_cuts():
    rng = np.random.default_rng(0)
    lit = [exposed(frame, 1 if number % 9 < 5 else 0.3) for number, frame in enumerate(CITY)]
    assert list(find_cuts(lit)) == [CUT]
    for gain, grain in ((1, 20), (0.1, 3)):
        noisy = [exposed(frame, gain, rng.normal(0, grain, frame.shape)) for frame in CITY]
        assert list(find_cuts(noisy)) == [CUT]


def panned(speeds, smear=8):
    """The camera passes along a still, so many of its pixels a frame, with motion blur."""
    place, frames = 0.0, []
    for speed in speeds:
        steps = [int(place + speed * k / smear) for k in range(smear)]
        frames.append(np.mean([STILL[225:495, x : x + 480] for x in steps], 0).astype(np.uint8))
        place += speed
    return frames


@pytest.mark.parametrize(
    ("speed", "smear", "rise"),
    [(v, smear, (0.3, 0.7)) for v in (20, 40, 80, 120, 200, 220) for smear in (1, 8)]
    # Half the picture in one frame, all of a sudden.
    + [(220, 4, (0.5,))],
)
def test_a_fast_pan_is_no_cut(speed, smear, rise):
    rise = [part * speed for part in rise]
    full = [speed] * max(1, int((760 - 2 * sum(rise)) // speed))
    assert list(find_cuts(panned([*[0] * 8, *rise, *full, *rise[::-1], *[0] * 8], smear))) == []


@pytest.mark.parametrize("jerk", [30, 60, 120, 200])
def test_a_jerk_is_no_cut(jerk):
    assert list(find_cuts(panned([0] * 10 + [jerk] + [0] * 10))) == []


def test_through_black_is_a_cut_in_the_middle_of_it():
    black = [np.zeros_like(A[0])] * 10
    out = [exposed(frame, 1 - i / 12) for i, frame in enumerate(A[:12])]
    back = [exposed(frame, (i + 1) / 12) for i, frame in enumerate(B[:12])]
    (start,) = find_cuts([*A[12:], *out, *black, *back, *B[12:]])
    assert abs(start - (len(A) + 5)) <= 1
    # Black before, after, or within one shot is none.
    assert list(find_cuts([*black, *A[:10], *black, *A[10:], *black])) == []


def test_frames_that_show_nothing_in_common_at_any_time_are_one_shot():
    rng = np.random.default_rng(0)
    assert list(find_cuts(rng.integers(0, 256, (30, 60, 80, 3), dtype=np.uint8))) == []
    assert list(find_cuts(np.zeros((30, 60, 80, 3), np.uint8))) == []


def test_cuts_are_found_while_frames_come_and_few_are_held():
    read = 0

    def counted():
        nonlocal read
        for frame in [*A, *B]:
            read += 1
            yield frame

    assert next(find_cuts(counted())) == CUT and read == CUT + cuts.REACH


def test_refused_with_every_place_and_time():
    with pytest.raises(RecamError) as raised:
        shots([*A, *BUNNY, *B], RATE, "refuse")
    assert raised.value.code == "cut"
    assert "at frame 26 (0:01:01), 50 (0:02:00)." in raised.value.sentence
    assert shots(A, RATE, "refuse") == [(0, 26)]


def test_many_cuts_are_not_all_named():
    with pytest.raises(RecamError, match=r"\(0:02:00\) and 2 more\."):
        shots([*A[:5], *BUNNY[:5]] * 6 + A[:5], RATE, "refuse")


def test_ignored():
    assert shots([*A, *B], RATE, "ignore") == [(0, 60)]


def test_time_codes():
    assert time_code(116, Fraction(25)) == "0:04:16"
    assert time_code(30, Fraction(30000, 1001)) == "0:01:00"
    assert time_code(29, Fraction(30000, 1001)) == "0:00:29"
    assert time_code(90_000 + 1500 + 7, Fraction(25)) == "1:01:00:07"
