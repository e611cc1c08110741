"""What the artist sets of the model, and what of it a job carries."""

from __future__ import annotations

import pytest


@pytest.fixture
def settings(sequence):
    return sequence.recam


def test_what_is_left_as_it_is_is_not_sent(addon, settings):
    assert addon.settings.model_settings(settings) == {}


def test_what_is_set_is_sent_as_the_server_calls_it(addon, settings):
    settings.prompt, settings.takes, settings.seed = "Boats – früh", 3, 7
    settings.quality, settings.framing = "fast", "crop"
    settings.lens, settings.every = "outpaint", 2
    assert addon.settings.model_settings(settings) == {
        "prompt": "Boats – früh",
        "takes": 3,
        "seed": 7,
        "quality": "fast",
        "framing": "crop",
        "lens": "outpaint",
        "every": 2,
    }


def test_a_projection_is_asked_for_nothing(addon, settings):
    settings.prompt, settings.engine = "boats", "projection"
    assert addon.settings.model_settings(settings) == {}


def test_everything_has_a_name_and_a_sentence(addon, settings):
    for name in addon.settings.MODEL_SETTINGS:
        shown = settings.bl_rna.properties[name]
        assert shown.name and shown.description and not shown.description.endswith(".")
