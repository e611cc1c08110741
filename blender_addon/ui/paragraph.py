"""Text in as many lines as it takes, in a panel."""

from __future__ import annotations

import blf
import bpy

from .wrapping import wrapped

AROUND_TEXT = 95  # pixels of the region's width at scale 1: tabs, margins, the icon's place
QUESTION_WIDTH = 460  # of the dialogs that ask something, at scale 1


def paragraph(layout, text: str, icon: str, width: int) -> None:
    """Lines of text beside an icon, in a region ``width`` pixels wide."""
    preferences = bpy.context.preferences
    scale = preferences.system.ui_scale
    blf.size(0, preferences.ui_styles[0].widget.points * scale)
    room = width - AROUND_TEXT * scale
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(wrapped(text, lambda line: blf.dimensions(0, line)[0] <= room)):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)


def question(layout, context, lines: list[tuple[str, str]]) -> None:
    """What a dialog of ``QUESTION_WIDTH`` tells before it asks: icons and texts."""
    width = QUESTION_WIDTH * context.preferences.system.ui_scale
    for icon, text in lines:
        paragraph(layout, text, icon, width)
