"""The schema: what each type of message may hold, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.errors import RecamError
from shared.protocol.limits import CHUNK_BYTES, PICTURE_SIDE
from shared.protocol.messages import Message
from shared.protocol.schema import ANSWERS, REQUESTS, check_answer, check_request

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "protocol.md"
ID, SHA256 = "0a" * 16, "0a" * 32

ESTIMATE = {
    "engine": "auto",
    "settings": {"prompt": "zwei\nZeilen", "takes": 3, "guidance": 5.5, "anchor": True},
    "width": 1920,
    "height": 1080,
    "frames": 81,
    "rate": "24000/1001",
    "depth": False,
    "start": True,
}
SUBMIT = {
    "job": ID,
    "engine": "auto",
    "name": "Bär\u202f1.mov",
    "parts": [SHA256],
    "first": 0,
    "depth": None,
    "start": SHA256,
    "audio": True,
    "untagged_matrix": None,
    "settings": {},
}
STATE = {
    "job": ID,
    "name": "clip",
    "stage": "finished",
    "doing": "",
    "step": 0,
    "steps": 0,
    "seconds_left": None,
    "picture": 0,
    "remarks": ["A remark."],
    "ahead": 0,
    "engine": "projection",
    "engine_reason": "It can.",
    "result": {
        "takes": [{"size": 9, "sha256": SHA256, "width": 8, "height": 8, "frames": 2}],
        "rate": "25",
        "remarks": [],
        "seconds": 1.5,
    },
    "error": None,
    "accepted": 1.5e9,
    "ended": 1.5e9,
}


def refusal(message: Message, check=check_request) -> RecamError:
    with pytest.raises(RecamError) as caught:
        check(message)
    assert caught.value.code == "bad_message" and len(caught.value.sentence) < 300
    return caught.value


@pytest.mark.parametrize(
    ("kind", "body", "data"),
    [
        ("hello", {"protocol": 1, "client": "plain 1"}, b""),
        ("job.list", {}, b""),
        ("blob.put", {"upload": ID, "size": 1, "sha256": None}, b""),
        ("blob.chunk", {"upload": ID, "offset": 0, "sha256": SHA256}, bytes(CHUNK_BYTES)),
        ("job.estimate", ESTIMATE, b""),
        ("job.submit", SUBMIT, b"{}"),
        ("job.submit", SUBMIT | {"delete_on_delivery": True}, b"{}"),
        ("job.submit", SUBMIT | {"shot": SHA256}, b""),
        ("result.get", {"job": ID, "take": 15, "offset": 1 << 30}, b""),
    ],
)
def test_what_the_document_says_goes_through(kind, body, data):
    check_request(Message(kind, body, data=data))


@pytest.mark.parametrize("kind", REQUESTS)
def test_each_request_is_in_the_document_and_takes_no_field_beyond_it(kind):
    assert f"`{kind}`" in DOCUMENT.read_text()
    refusal(Message(kind, {"path": "/etc/passwd"}))


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_answer_is_in_the_document(kind):
    assert re.search(rf"`{kind}`", DOCUMENT.read_text())


@pytest.mark.parametrize("field", SUBMIT)
def test_each_field_is_needed(field):
    body = {name: value for name, value in SUBMIT.items() if name != field}
    assert field in refusal(Message("job.submit", body, data=b"{}")).sentence


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"height": 32_769},
        {"width": 1920.0},
        {"frames": 100_001},
        {"frames": True},
        {"rate": 25},
        {"rate": "0"},
        {"rate": "100000"},
        {"engine": "x" * 41},
        {"engine": "a\nb"},
        {"depth": None},
        {"start": 0},
        {"settings": []},
        {"settings": {"a": [1]}},
        {"settings": {"a": None}},
        {"settings": {"a": {"b": 1}}},
        {"settings": {"A": 1}},
        {"settings": {"__class__": 1}},
        {"settings": {"a" * 65: 1}},
        {"settings": {"a": "x" * 10_001}},
        {"settings": {"a": "\0"}},
        {"settings": {"a": "\ud800"}},
        {"settings": {"a": 2**53 + 1}},
        {"settings": {"a": float("inf")}},
        {"settings": {"a": float("nan")}},
        {"settings": {f"a{number}": 1 for number in range(65)}},
    ],
    ids=lambda change: str(change)[:30].encode("ascii", "backslashreplace").decode(),
)
def test_a_value_out_of_its_bounds_is_refused(change):
    refusal(Message("job.estimate", ESTIMATE | change))


def test_a_rate_that_is_none_is_named_as_in_a_camera():
    with pytest.raises(RecamError) as caught:
        check_request(Message("job.estimate", ESTIMATE | {"rate": "1e9"}))
    assert caught.value.code == "camera_rate"


@pytest.mark.parametrize("name", ["../" * 10 + "ab", "0A" * 16, "0a" * 16 + "\n", "0a" * 15, 7])
def test_a_name_that_becomes_a_files_is_hexadecimal(name):
    refusal(Message("job.attach", {"job": name}))
    refusal(Message("blob.put", {"upload": name, "size": 1, "sha256": None}))
    refusal(Message("blob.have", {"sha256": name}))


@pytest.mark.parametrize("name", ["a\nb", "a\0", "\x1b[2J", "\u202eabc", "\ud800", "x" * 201])
def test_a_name_in_sentences_is_one_line_that_can_be_shown(name):
    refusal(Message("job.submit", SUBMIT | {"name": name}, data=b"{}"))


def test_only_chunks_and_shots_carry_data():
    for kind in REQUESTS.keys() - {"blob.chunk", "job.submit"}:
        assert REQUESTS[kind].data == (0, 0)
    assert "carries" in refusal(Message("job.list", {}, data=b"x")).sentence
    head = {"upload": ID, "offset": 0, "sha256": SHA256}
    refusal(Message("blob.chunk", head))
    refusal(Message("blob.chunk", head, data=bytes(CHUNK_BYTES + 1)))
    refusal(Message("job.submit", SUBMIT))
    refusal(Message("job.submit", SUBMIT, data=bytes(CHUNK_BYTES + 1)))
    refusal(Message("job.submit", SUBMIT | {"shot": SHA256}, data=b"{}"))
    refusal(Message("job.submit", SUBMIT | {"shot": None}, data=b"{}"))


def test_a_request_answers_nothing():
    refusal(Message("job.list", {}, re=3))


@pytest.mark.parametrize("kind", ["job.state", "error", "welcome", "os.system"])
def test_what_is_no_request_is_unknown(kind):
    with pytest.raises(RecamError) as caught:
        check_request(Message(kind, STATE))
    assert caught.value.code == "unknown_message"


def test_a_newer_server_may_tell_more_an_older_one_less():
    check_answer(Message("job.state", STATE | {"mood": "good"}))
    older = {name: STATE[name] for name in STATE if name not in ("picture", "remarks")}
    check_answer(Message("job.state", older))


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "exploded"},
        {"steps": -1},
        {"steps": "8"},
        {"seconds_left": "soon"},
        {"remarks": ["\x1b[2J"]},
        {"remarks": "abc"},
        {"result": {}},
        {"result": {"takes": []}},
        {"result": {"takes": [STATE["result"]["takes"][0]] * 17}},
        {"result": {"takes": [STATE["result"]["takes"][0] | {"size": -1}]}},
        {"result": {"takes": [STATE["result"]["takes"][0] | {"sha256": "../../x"}]}},
        {"error": {"code": "x"}},
        {"error": "x"},
    ],
    ids=str,
)
def test_a_state_that_would_mislead_a_client_is_refused(change):
    refusal(Message("job.state", STATE | change), check_answer)


def test_an_answer_that_carries_too_much_is_refused():
    chunk = {"job": ID, "take": 0, "offset": 0, "sha256": SHA256}
    check_answer(Message("result.chunk", chunk, data=bytes(CHUNK_BYTES)))
    refusal(Message("result.chunk", chunk, data=bytes(CHUNK_BYTES + 1)), check_answer)
    picture = {"job": ID, "number": 1, "width": PICTURE_SIDE + 1, "height": 1}
    refusal(Message("job.picture", picture), check_answer)
    refusal(Message("job.submit", SUBMIT), check_answer)
