"""Servers that are silent, or say what no server should: no hang, no crash, a sentence."""

from __future__ import annotations

import pytest
from odd_server import WELCOME, OddServer
from takes import SHORT, request

from shared.client import connection, job, upload
from shared.client.client import Client
from shared.protocol.messages import Message

WAIT = 30.0


@pytest.fixture(autouse=True)
def soon(tmp_path, monkeypatch):
    """Keys of one's own, and pauses that a test has time for."""
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(upload, "REPLY_SECONDS", 0.3)
    monkeypatch.setattr(connection.answer, "__defaults__", (0.3,))
    monkeypatch.setattr(connection.Connection.request, "__defaults__", (b"", 0.3))


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"a clip " * 100_000)
    return path


@pytest.fixture
def out(tmp_path):
    (tmp_path / "takes").mkdir()
    return tmp_path / "takes" / "take.mp4"


@pytest.mark.parametrize(
    "where", ["blob.put", "blob.chunk", "blob.end", "job.submit", "job.attach", "result.get"]
)
def test_a_server_that_does_not_answer_is_given_up_in_words(where, clip, out):
    with OddServer() as server, Client(server.address) as client:
        server.says[where] = None
        error = client.shoot(request(SHORT), [clip], out).wait(WAIT).error
        assert error.code == "server_silent" and server.address in error.sentence
        assert not out.exists()
        server.says[where] = getattr(server, "_" + where.replace(".", "_"))
        assert client.shoot(request(SHORT), [clip], out).wait(WAIT).stage == "finished"


def test_a_server_that_lets_go_of_an_upload_again_and_again_is_given_up(clip, out):
    gone = "error", {"code": "upload_chunk", "sentence": "That upload is not open.", "hint": ""}
    with OddServer(blob_chunk=gone) as server, Client(server.address) as client:
        error = client.shoot(request(SHORT), [clip], out).wait(WAIT).error
        assert error.code == "upload_chunk" and "lets go of clip.mp4" in error.sentence
        assert server.asked.count("blob.put") == 3


def test_a_server_that_calls_everything_damaged_is_given_up(clip, out):
    damaged = "error", {"code": "upload_damaged", "sentence": "It is damaged.", "hint": ""}
    with OddServer(blob_chunk=damaged) as server, Client(server.address) as client:
        error = client.shoot(request(SHORT), [clip], out).wait(WAIT).error
        assert error.code == "upload_damaged"
        assert server.asked.count("blob.put") == 2


@pytest.mark.parametrize("length", [0, 5, 9000, 9001, 1 << 19, 1 << 22])
@pytest.mark.parametrize("offset", [0, 1, -1, "0"])
def test_chunks_that_are_not_what_was_asked_for_are_refused(length, offset, clip, out):
    """The take has 9000 bytes, none of them zero."""
    with OddServer() as server, Client(server.address) as client:

        def lie(body, data):
            kind, head, _ = server._result_get(body, data)
            return kind, {**head, "offset": offset}, bytes(length)

        server.says["result.get"] = lie
        error = client.attach("0" * 32, out).wait(WAIT).error
        assert error.code in ("result_damaged", "bad_message", "server_silent")
        assert not out.exists()
        assert sum(part.stat().st_size for part in out.parent.iterdir()) <= len(server.take)


def test_remarks_are_as_many_and_as_long_as_a_person_reads(out):
    """Blender lays them out at every redraw of its panel."""
    many = [f"{number} {'word ' * 300}" for number in range(250)]
    with OddServer() as server, Client(server.address) as client:
        result = {**take(server), "remarks": many}
        server.says["job.attach"] = told(server, remarks=many, result=result)
        state = client.attach("0" * 32, out).wait(WAIT)
        assert state.stage == "finished", state.error
        for remarks in (state.remarks, state.result["remarks"]):
            assert len(remarks) == 51 and "200 more" in remarks[-1]
            assert max(map(len, remarks)) < 1100
        del result["remarks"]  # as an older server's
        assert client.attach("1" * 32).wait(WAIT).result["remarks"] == []


def told(server, **other):
    return lambda body, data: ("job.state", server.state(body["job"], **other))


def take(server, **other) -> dict:
    result = server.state("0" * 32)["result"]
    return {**result, "takes": [result["takes"][0] | other]}


@pytest.mark.parametrize("where", ["blob.put", "blob.chunk", "job.submit", "job.attach"])
def test_answers_to_another_question_are_refused(where, clip, out):
    about = "server.info", WELCOME
    with OddServer() as server, Client(server.address) as client:
        server.says[where] = about
        error = client.shoot(request(SHORT), [clip], out).wait(WAIT).error
        assert error.code == "bad_message" and server.address in error.sentence


@pytest.mark.parametrize(
    "lie",
    [
        lambda server: {"stage": "levitating"},
        lambda server: {"stage": None},
        lambda server: {"stage": ["finished"]},
        lambda server: {"result": None},
        lambda server: {"result": {}},
        lambda server: {"result": {**take(server), "takes": []}},
        lambda server: {"result": {**take(server), "takes": take(server)["takes"] * 1000}},
        lambda server: {"result": take(server, size=0)},
        lambda server: {"result": take(server, size=-1)},
        lambda server: {"result": take(server, size="9000")},
        lambda server: {"result": take(server, size=1 << 50)},
        lambda server: {"result": take(server, size=1 << 39)},
        lambda server: {"result": take(server, size=1000)},
        lambda server: {"result": take(server, sha256="../../etc/passwd")},
        lambda server: {"result": take(server, sha256="0" * 64)},
        lambda server: {"remarks": ["a" * 900_000]},
        lambda server: {"remarks": "a" * 900_000},
        lambda server: {"remarks": [None]},
        lambda server: {"doing": "a" * 900_000, "stage": "rendering"},
        lambda server: {"stage": "failed", "error": None},
        lambda server: {"stage": "failed", "error": {"code": 1}},
        lambda server: {"step": -5, "stage": "rendering"},
        lambda server: {"step": "many", "stage": "rendering"},
        lambda server: {"stage": "rendering", "extra": [[[[]]]] * 1000},
    ],
)
def test_states_that_make_no_sense_end_in_a_sentence(lie, clip, out, monkeypatch):
    monkeypatch.setattr(job, "QUIET_SECONDS", 0.2)
    with OddServer() as server, Client(server.address) as client:
        server.says["job.attach"] = told(server, **lie(server))
        following = client.shoot(request(SHORT), [clip], out)
        state = following.wait(1)
        if not state.ended:  # it may be believed, as long as it can be called off
            server.says["job.cancel"] = told(server, stage="cancelled", result=None)
            following.cancel()
            assert following.wait(WAIT).stage == "cancelled"
        else:
            assert state.error and state.error.code != "client_fault", state.error
            assert len(state.error.sentence) < 1000
        assert not out.exists()
        del server.says["job.attach"]  # and the client is as good as before
        assert client.shoot(request(SHORT), [clip], out).wait(WAIT).stage == "finished"


def test_events_without_end_or_sense_neither_fill_the_memory_nor_end_the_client(out):
    with OddServer() as server, Client(server.address) as client:
        remote = client._start("ab" * 16, lambda job: job.follow(None, True))
        assert remote.wait(WAIT).stage == "finished"
        for _ in range(1000):
            remote.take_event(Message("job.state", {}))
        assert remote._events.qsize() <= job.MOST_EVENTS
        client._on_event(Message("blob.ack", {"upload": "", "offset": 0, "job": []}))
