"""Messages: what goes in comes out, and what is not as docs/protocol.md says is refused."""

from __future__ import annotations

import json

import pytest

from shared.errors import RecamError
from shared.protocol.limits import DATA_BYTES, HEADER_BYTES
from shared.protocol.messages import (
    Message,
    error_body,
    error_from,
    pack,
    unpack,
)

GOOD = {"recam": 1, "type": "job.cancel", "id": 7, "re": None, "body": {"job": "x"}}


def refusal(*frames) -> RecamError:
    with pytest.raises(RecamError) as caught:
        unpack(
            [frame if isinstance(frame, bytes) else json.dumps(frame).encode() for frame in frames]
        )
    return caught.value


def test_a_message_comes_back_as_it_went():
    sent = Message(
        "blob.chunk", {"name": "Käse ✂", "deep": {"list": [1, None, 0.5]}}, 3, 2, b"\0\1"
    )
    assert unpack(pack(sent)) == sent


def test_a_message_without_data_is_one_frame():
    assert len(pack(Message("hello"))) == 1
    assert unpack(pack(Message("hello"))).data == b""


def test_an_error_comes_back_as_it_went():
    error = error_from(error_body(RecamError("clip_gone", "It is gone.", "Send it again.")))
    assert (error.code, error.sentence, error.hint) == (
        "clip_gone",
        "It is gone.",
        "Send it again.",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Job.Cancel"},
        {"type": "a" * 41},
        {"type": 3},
        {"type": "job.cancel.all"},
        {"id": -1},
        {"id": 1.5},
        {"id": True},
        {"id": 2**53 + 1},
        {"id": None},
        {"re": "3"},
        {"re": -1},
        {"body": []},
        {"body": None},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_header_that_is_not_as_specified_is_refused(change):
    assert refusal(GOOD | change).code == "bad_message"


@pytest.mark.parametrize("field", GOOD)
def test_a_header_that_lacks_a_field_is_refused(field):
    assert refusal({name: value for name, value in GOOD.items() if name != field}).code == (
        "bad_message"
    )


@pytest.mark.parametrize(
    "header",
    [b"", b"\xff\xfe", b"[]", b'"hello"', b"null", b'{"recam": 1', b"\x80\x04N.", b"[" * 100_000],
    ids=lambda header: repr(header[:12]),
)
def test_a_header_that_is_no_json_object_is_refused(header):
    assert refusal(header).code == "bad_message"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused_both_ways(number):
    header = json.dumps(GOOD).replace('"x"', number)
    assert number in refusal(header.encode()).sentence
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack(Message("hello", {"value": float(number)}))


@pytest.mark.parametrize("levels", [17, 1000, 100_000])
def test_deeply_nested_json_is_refused_before_it_is_read(levels):
    nest = '{"a":' * (levels - 2) + "1" + "}" * (levels - 2)
    assert "levels" in refusal(json.dumps(GOOD).replace('"x"', nest).encode()).sentence


def test_brackets_in_strings_are_no_levels():
    sent = Message("job.cancel", {"name": '\\"[[[[{{{{' * 10, "list": [[], [{}]] * 20})
    assert unpack(pack(sent)) == sent


def test_a_string_without_an_end_costs_no_more_than_its_length():
    """Not its square: that would be an hour for this one."""
    assert refusal(b'{"a": [[[[[[[[[[[[[[[[[ "' + rb"\"" * 400_000).code == "bad_message"


@pytest.mark.parametrize(
    "value",
    ["1e999", "-1e999", "1" * 41, "9" * 100_000, '{"b": 1, "b": 2}', '"a\nb"'],
    ids=lambda value: value[:12],
)
def test_values_that_json_bears_and_recam_does_not(value):
    assert refusal(json.dumps(GOOD).replace('"x"', value).encode()).code == "bad_message"


def test_other_encodings_than_utf_8_are_refused():
    for name in ("utf-16", "utf-32-le", "utf-8-sig"):
        assert refusal(json.dumps(GOOD).encode(name)).code == "bad_message"


def test_an_error_is_told_without_what_would_steer_a_terminal():
    told = error_body(RecamError("clip", "A \x1b[2Jclip\ud800\nis gone.", "x" * 20_000))
    assert told["sentence"] == "A  [2Jclip \nis gone." and len(told["hint"]) == 10_000


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.5, True, 1.0])
def test_another_version_is_named_whatever_else_it_may_hold(version):
    error = refusal(GOOD | {"recam": version})
    assert error.code == "protocol_version"
    assert repr(version) in error.sentence and "1" in error.sentence


def test_frames_too_many_or_none_are_refused():
    assert refusal().code == "bad_message"
    assert refusal(GOOD, b"", b"").code == "bad_message"


def test_frames_too_large_are_refused_before_they_are_read():
    assert str(HEADER_BYTES) in refusal(b"{" * (HEADER_BYTES + 1)).sentence
    assert str(DATA_BYTES) in refusal(GOOD, bytes(DATA_BYTES + 1)).sentence
