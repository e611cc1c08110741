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
    identifier,
    pack,
    scalar_settings,
    text,
    unpack,
    whole,
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


def test_deeply_nested_json_is_refused():
    nest = '{"a":' * 100_000 + "1" + "}" * 100_000
    assert refusal(json.dumps(GOOD).replace('"x"', nest).encode()).code == "bad_message"


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.5])
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


@pytest.mark.parametrize(
    "settings",
    [
        {"a": [1]},
        {"a": None},
        {"a": {"b": 1}},
        {"a" * 65: 1},
        {"a": "x" * 10_001},
        {"a": json.loads("1e999")},
        {f"a{number}": 1 for number in range(65)},
        [],
    ],
    ids=lambda settings: str(settings)[:20],
)
def test_settings_are_plain_and_finite(settings):
    with pytest.raises(RecamError):
        scalar_settings({"settings": settings}, "settings")


def test_fields_of_a_body_are_checked():
    for check in (
        lambda: whole({"n": 11}, "n", 0, 10),
        lambda: whole({}, "n"),
        lambda: text({"n": "x" * 201}, "n"),
        lambda: identifier({"n": "../" * 10 + "ab"}, "n"),
        lambda: identifier({"n": "A" * 32}, "n"),
        lambda: identifier({"n": "a" * 32 + "\n"}, "n"),
    ):
        with pytest.raises(RecamError) as caught:
            check()
        assert caught.value.code == "bad_message"
