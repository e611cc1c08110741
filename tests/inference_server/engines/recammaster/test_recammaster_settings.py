"""What the artist may ask for: understood, or refused in words; and documented."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from inference_server.engines.recammaster.settings import NAMES, Settings, check, parse, table
from shared.errors import RecamError
from shared.protocol.kinds import settings

ROOT = Path(__file__).resolve().parents[4]


def refusal(call, *arguments) -> str:
    with pytest.raises(RecamError) as caught:
        call(*arguments)
    assert caught.value.code == "setting" and caught.value.sentence.endswith((".", "?"))
    return str(caught.value)


def test_nothing_said_is_the_public_script():
    plain = Settings.of({})
    assert (plain.steps, plain.guidance, plain.shift, plain.solver) == (50, 5.0, 5.0, "euler")
    assert (plain.seed, plain.tiling, plain.round_time_step) == (0, "public", True)
    assert plain.seeds == range(0, 1) and plain.negative_prompt is None


def test_what_is_said_counts_and_the_rest_stays():
    said = {"prompt": "Boats – früh", "takes": 3, "seed": 7, "guidance": 3, "size": "832x480"}
    made = Settings.of(said | {"subject_distance": 2.5})
    assert (made.prompt, made.guidance, made.subject_distance) == ("Boats – früh", 3, 2.5)
    assert [*made.seeds] == [7, 8, 9] and made.size == "832x480"
    assert made.steps == 50


def test_every_default_is_a_value_that_is_taken_and_travels():
    values = {field.name: field.default for field in fields(Settings) if field.name in NAMES}
    del values["negative_prompt"]  # left out, it is the model's own
    body = json.loads(json.dumps({"settings": values}))
    settings(body["settings"], "settings")
    check(body["settings"])
    assert Settings.of(values) == Settings.of({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", 5),
        ("negative_prompt", True),
        ("steps", 0),
        ("steps", 1001),
        ("steps", 20.0),
        ("steps", True),
        ("takes", 17),
        ("seed", -1),
        ("guidance", 0.5),
        ("guidance", float("nan")),
        ("guidance", float("inf")),
        ("guidance", 10**400),
        ("guidance", "5"),
        ("denoising_strength", 0),
        ("overlap", 11),
        ("every", 0),
        ("anchor", 1),
        ("quality", "best"),
        ("size", "832"),
        ("size", "832x480x81"),
        ("size", "0x480"),
        ("framing", None),
        ("start", "clip"),
    ],
)
def test_a_value_that_is_not_taken_is_named_with_what_is(name, value):
    said = refusal(Settings.of, {name: value})
    assert name in said and "It takes" in said and len(said) < 300


def test_a_name_that_is_not_known_is_told_which_are():
    said = refusal(Settings.of, {"stepz": 20})
    assert "'stepz'" in said and all(name in said for name in NAMES)


@pytest.mark.parametrize("name", ["subject_distance", "depth", "start_clip"])
def test_what_comes_along_is_no_setting_of_the_wire(name):
    assert name not in NAMES
    assert name in refusal(check, {name: "x"})


def test_a_start_and_its_strength_must_make_sense_together():
    clip = object()
    assert Settings.of({"start_clip": clip, "denoising_strength": 0.8}).start == "take"
    assert Settings.of({"start": "projection", "denoising_strength": 0.8}).start_clip is None
    for values in (
        {"start": "take", "denoising_strength": 0.8},
        {"start": "projection", "start_clip": clip, "denoising_strength": 0.8},
        {"denoising_strength": 0.8},
        {"start": "projection"},
        {"start_clip": clip},
    ):
        assert "start" in refusal(Settings.of, values)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("prompt", "12", "12"),
        ("negative_prompt", "true", "true"),
        ("steps", "20", 20),
        ("guidance", "3", 3.0),
        ("anchor", "False", False),
        ("size", "832x480", "832x480"),
    ],
)
def test_text_is_read_as_the_setting_takes_it(name, text, value):
    read = parse(name, text)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text"), [("steps", "many"), ("anchor", "maybe"), ("quality", ""), ("stepz", "1")]
)
def test_text_that_cannot_be_read_is_named(name, text):
    assert name in refusal(parse, name, text)


def test_the_document_has_the_table():
    assert table() in (ROOT / "docs" / "settings.md").read_text()


def test_settings_need_no_torch():
    code = (
        "import sys, inference_server.engines.recammaster.settings; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
