"""Where a strip's picture lies: the arithmetic alone. Blender's own answer is in test_plate."""

from __future__ import annotations

from math import pi

import pytest


def test_a_picture_as_large_as_the_frame_fills_it(layout):
    rect = layout.visible_rect(layout.Placement((160, 96)), (160, 96))
    assert rect == layout.Rect(0, 0, 160, 96)


def test_a_fitted_vertical_picture_lies_between_the_bars(layout):
    placed = layout.Placement((1080, 1920), scale=(0.5625, 0.5625))
    rect = layout.visible_rect(placed, (1920, 1080))
    # 656.25 to 1263.75 on the screen: whole pixels without the softened edge, even
    assert rect == layout.Rect(658, 0, 604, 1080)
    assert rect.of((1920, 1080)) == (658 / 1920, 0, 604 / 1920, 1)


def test_offset_and_crop_count_from_below_and_the_rectangle_from_above(layout):
    placed = layout.Placement((100, 100), offset=(10, 20), crop=(1, 2, 3, 4))
    assert layout.picture_rect(placed, (200, 200)) == layout.Rect(61, 32, 96, 94)


def test_a_mirrored_frame_mirrors_the_place(layout):
    placed = layout.Placement((100, 100), offset=(50, 0), flip=(True, False))
    assert layout.picture_rect(placed, (200, 100)) == layout.Rect(0, 0, 100, 100)


def test_a_turned_picture_is_boxed(layout):
    placed = layout.Placement((100, 50), rotation=pi / 2)
    rect = layout.picture_rect(placed, (100, 100))
    assert (rect.width, rect.height) == pytest.approx((50, 100))


def test_a_picture_outside_the_frame_is_not_visible(layout):
    rect = layout.visible_rect(layout.Placement((100, 50), offset=(300, 0)), (100, 50))
    assert rect.width == 0


def test_the_offset_within_the_rectangle_shows_the_same_part(layout):
    placed = layout.Placement((101, 57), scale=(1.5, 1.5), offset=(20, -10), crop=(5, 0, 0, 9))
    frame = (160, 96)
    rect = layout.visible_rect(placed, frame)
    moved = layout.replace(placed, offset=layout.offset_in(placed, frame, rect))
    before = layout.picture_rect(placed, frame)
    after = layout.picture_rect(moved, (int(rect.width), int(rect.height)))
    assert after.left == pytest.approx(before.left - rect.left)
    assert after.top == pytest.approx(before.top - rect.top)


@pytest.mark.parametrize("picture", [(832, 480), (61, 35)])
def test_a_take_fills_the_rectangle_with_its_content_alone(layout, picture):
    content = (picture[0] - 1, picture[1] - 1)
    rect = layout.Rect(10, 20, 80, 45)
    placed = layout.filling(rect, (160, 96), picture, content)
    filled = layout.picture_rect(placed, (160, 96))
    assert (filled.left, filled.top) == pytest.approx((10, 20))
    assert (filled.width, filled.height) == pytest.approx((80, 45))
    assert placed.crop == (0, 0, 1, 1)
