"""Windows over shots of any length."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inference_server.engines.recammaster.windows import plan_windows

LENGTHS = (1, 2, 5, 80, 81, 82, 97, 161, 162, 250, 2593)


@pytest.mark.parametrize("anchor", [True, False])
@pytest.mark.parametrize("frames", LENGTHS)
def test_every_window_has_21_latents_and_every_latent_a_window(frames, anchor):
    plan = plan_windows(frames, overlap=5, anchor=anchor)
    assert all(len(window.slots) == len(window.frames) == 21 for window in plan.windows)
    covered = [slot for window in plan.windows for slot in window.slots]
    assert set(covered) == set(range(plan.slots))
    assert plan.frames >= frames


@pytest.mark.parametrize("frames", LENGTHS)
def test_no_more_is_decoded_than_a_latent_beyond_the_shot(frames):
    plan = plan_windows(frames)
    assert plan.frames - frames < 4 or plan.frames == 81


@pytest.mark.parametrize("overlap", [1, 5, 10])
def test_neighbours_share_at_least_the_overlap(overlap):
    for frames in (82, 161, 400, 1000):
        windows = plan_windows(frames, overlap=overlap, anchor=False).windows
        for left, right in pairwise(windows):
            assert len(set(left.slots) & set(right.slots)) >= overlap


def test_a_later_window_starts_with_an_anchor_at_the_frame_where_the_one_before_it_ends():
    plan = plan_windows(161)
    assert plan.anchors[0] == 60
    window = plan.windows[1]
    assert window.slots[:3] == (plan.latents, 16, 17)
    assert window.frames[:3] == (60, 64, 68)


def test_without_anchors_a_later_window_starts_on_the_row_itself():
    window = plan_windows(161, anchor=False).windows[1]
    assert window.slots[0] == 16 and window.frames[0] == 64


def test_each_latent_is_told_the_frame_at_which_it_ends():
    for window in plan_windows(400).windows:
        assert window.frames[1:] == tuple(4 * slot for slot in window.slots[1:])


def test_weights_ramp_over_the_overlap_and_nowhere_else():
    first, second = plan_windows(145, overlap=5, anchor=False).windows
    assert first.weights[:16] == (1.0,) * 16 and second.weights[5:] == (1.0,) * 16
    ramp = [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]
    assert second.weights[:5] == pytest.approx(ramp)
    assert first.weights[16:] == pytest.approx(ramp[::-1])


def test_a_short_shot_is_held_to_81_frames_or_keeps_its_own_length():
    assert plan_windows(17).latents == 21
    assert plan_windows(17, hold_short=False).latents == 5
    # As the public code rounds: (T + 2) // 4 * 4 + 1.
    for frames in (9, 10, 11, 12, 13, 80):
        expected = frames if frames % 4 == 1 else (frames + 2) // 4 * 4 + 1
        assert plan_windows(frames, hold_short=False).frames == expected
