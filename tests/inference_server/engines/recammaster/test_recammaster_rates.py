from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference_server.engines.recammaster.rates import between, in_between, kept_frames, rate_remark
from inference_server.video.reader import Reader
from shared.errors import RecamError

CLIPS = Path(__file__).parents[3] / "clips"


def error(picture, truth) -> float:
    return float(np.sqrt(np.mean((picture.astype(float) - truth) ** 2)))


def faded(before, after, time):
    return (1 - time) * before + time * after.astype(float)


def texture(seed, size=(200, 400)) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)


@pytest.mark.parametrize(
    ("frames", "every", "kept"),
    [
        (5, 1, [0, 1, 2, 3, 4]),
        (5, 2, [0, 2, 4]),
        (6, 2, [0, 2, 4, 5]),
        (81, 8, [*range(0, 81, 8)]),
        (3, 8, [0, 2]),
        (1, 4, [0]),
    ],
)
def test_the_first_and_the_last_frame_are_always_kept(frames, every, kept):
    assert kept_frames(frames, every) == kept


def test_kept_frames_come_out_as_they_are_and_few_are_held():
    clip = [texture(seed, (40, 60)) for seed in range(11)]
    kept, taken = kept_frames(11, 3), []

    def made():
        for index in kept:
            taken.append(index)
            yield clip[index]

    for number, frame in enumerate(in_between(made(), kept)):
        assert frame.dtype == np.uint8 and frame.shape == clip[0].shape
        # No further ahead than the next kept frame.
        assert taken[-1] - number < 3
        if number in kept:
            assert (frame == clip[number]).all()
    assert number == 10


def test_every_frame_passes_untouched():
    clip = [texture(seed, (40, 60)) for seed in range(4)]
    assert [*map(id, in_between(iter(clip), kept_frames(4, 1)))] == [*map(id, clip)]


def test_missing_frames_are_said():
    with pytest.raises(RecamError, match="made 1 of 3"):
        list(in_between([texture(0)], [0, 2, 4]))


@pytest.mark.parametrize("name", ["cityCC0.mpg", "bigbuckbunny.mp4"])
def test_real_frames_left_out_come_back(name):
    clip = [
        cv2.resize(frame, (480, 270), interpolation=cv2.INTER_AREA)
        for frame in Reader(CLIPS / name, 60, 9)
    ]
    kept = kept_frames(9, 4)
    result = list(in_between([clip[index] for index in kept], kept))
    assert len(result) == 9
    for number in (1, 2, 3, 5, 6, 7):
        at = number // 4 * 4
        fade = faded(clip[at], clip[at + 4], number % 4 / 4)
        assert error(result[number], clip[number]) < 0.8 * error(fade, clip[number])


@pytest.mark.parametrize("time", [0.25, 0.5, 0.75])
def test_a_move_lies_where_it_would_at_that_time(time):
    still = texture(1)
    before, after = still[20:180, 40:360], still[16:176, 52:372]
    frame = next(between(before, after, [time]))
    places = {}
    for x in range(13):
        place = np.float32([[1, 0, -40 - x], [0, 1, -20 + x / 3]])
        shifted = cv2.warpAffine(still, place, (320, 160), flags=cv2.INTER_CUBIC)
        places[x] = error(frame[20:-20, 20:-20], shifted[20:-20, 20:-20])
    assert min(places, key=places.get) == round(12 * time)
    assert min(places.values()) < 4


def moving(time):
    """A dark textured disc that passes over a light wall, which moves the other way; the ring
    round the disc's edge, where one of the frames beside sees what the other does not."""
    back = texture(1)[:160, round(20 - 8 * time) + 8 :][:, :320] // 3 + 150
    front = np.roll(texture(2)[:160, :320], round(16 * time), axis=1) // 3
    disc, ring = np.zeros((2, 160, 320), np.uint8)
    centre = (round(120 + 16 * time), 80)
    cv2.circle(disc, centre, 40, 1, -1)
    cv2.circle(ring, centre, 40, 1, 24)
    return np.where(disc[..., None], front, back).astype(np.uint8), ring > 0


def test_what_only_one_frame_sees_is_no_ghost():
    (before, _), (truth, ring), (after, _) = (moving(time) for time in (0, 0.5, 1))
    frame = next(between(before, after, [0.5]))
    assert error(frame[ring], truth[ring]) < 0.3 * error(
        faded(before, after, 0.5)[ring], truth[ring]
    )


def test_frames_that_have_nothing_in_common_fade():
    before, after = texture(1) // 4, texture(2) // 4 + 190
    means = [frame.mean() for frame in between(before, after, np.linspace(0, 1, 9)[1:-1])]
    assert (np.diff(means) > 0).all()


@pytest.mark.parametrize(
    ("rate", "every", "said"),
    [
        (25, 1, "sees 25 frames a second and was trained on 15. every = 2 would show it 12.5."),
        (24, 1, "24 frames a second and was trained on 15. every = 2 would show it 12."),
        (60, 1, "60 frames a second and was trained on 15. every = 4 would show it 15."),
        (Fraction(30000, 1001), 2, "every 2nd frame, 14.99 a second, and was trained on 15;"),
        (60, 4, "every 4th frame, 15 a second"),
        (50, 3, "every 3rd frame, 16.67 a second"),
        (10, 1, "sees 10 frames a second and was trained on 15."),
    ],
)
def test_the_rate_is_said(rate, every, said):
    assert said in rate_remark(Fraction(rate), every)


def test_the_trained_rate_needs_no_words():
    assert rate_remark(Fraction(15), 1) == rate_remark(Fraction(15000, 1001), 1) == ""
