"""What stands between a client and a server, and in which words the artist hears of it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading

import pytest
import zmq
from proxy import Proxy
from servers import until
from takes import LONG, another_user, request

from shared.client import connection
from shared.client import job as jobs
from shared.client.client import Client
from shared.errors import RecamError
from shared.protocol.keys import client_keys, server_keys

FOREIGN = zmq.curve_keypair()[0].decode()


def refused(address: str, key: str | None = None, patience: float = 30.0) -> RecamError:
    """The error of a client that asks there; patience is far beyond what a refusal takes."""
    with Client(address, key, patience=patience) as client, pytest.raises(RecamError) as caught:
        client.server(patience)
    return caught.value


def test_a_server_tells_who_it_is(client):
    about = client.server()
    assert about["protocol"] == 1 and about["server"].startswith("recam ")


def test_a_key_that_the_server_does_not_know_is_refused_in_words(
    shared_server, tmp_path, monkeypatch
):
    with another_user(shared_server, tmp_path / "eve", monkeypatch, known=False) as key:
        error = refused(shared_server.address, key)
    assert error.code == "key_refused"
    assert shared_server.address in error.sentence and "client.pub" in error.hint


def test_a_client_that_is_let_in_later_comes_in_without_a_restart(
    shared_server, tmp_path, monkeypatch
):
    with another_user(shared_server, tmp_path / "bob", monkeypatch, known=False) as key:
        assert refused(shared_server.address, key).code == "key_refused"
    known = shared_server.config / "clients" / "bob.pub"
    known.write_bytes((tmp_path / "bob" / "client.pub").read_bytes())
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "bob"))
    with Client(shared_server.address, key) as client:
        assert client.jobs() == []
    known.unlink()


def test_what_waits_for_a_server_that_refuses_gets_in_once_its_key_is_listed(
    shared_server, tmp_path, monkeypatch
):
    monkeypatch.setattr(connection, "REFUSED_SECONDS", (0.05, 0.2))
    with (
        another_user(shared_server, tmp_path / "ben", monkeypatch, known=False) as key,
        Client(shared_server.address, key) as client,
    ):
        job = client.attach("0" * 32)
        until(lambda: "client.pub" in job.state.trouble)
        assert not job.wait(0.5).ended
        known = shared_server.config / "clients" / "ben.pub"
        known.write_bytes((tmp_path / "ben" / "client.pub").read_bytes())
        assert job.wait(30).error.code == "no_such_job"
        assert client.jobs() == []
        known.unlink()


def test_what_is_under_way_ends_when_its_key_is_revoked_and_goes_on_if_that_is_undone(
    shared_server, tmp_path, monkeypatch, long_clip
):
    monkeypatch.setattr(connection, "REFUSED_SECONDS", (2.0, 10.0))
    monkeypatch.setattr(jobs, "QUIET_SECONDS", 0.2)
    with (
        another_user(shared_server, tmp_path / "kim", monkeypatch) as key,
        Client(shared_server.address, key) as client,
    ):
        job = client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4")
        until(lambda: job.state.stage == "rendering")
        [known] = (shared_server.config / "clients").glob("*.pub")
        public = known.read_bytes()
        known.unlink()
        until(lambda: "no longer" in job.state.trouble)
        known.write_bytes(public)
        assert job.wait(30).stage == "cancelled"  # as its server told, which had done so
        monkeypatch.setattr(connection, "REFUSED_SECONDS", (0.05, 0.2))
        job = client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4")
        until(lambda: job.state.stage == "rendering")
        known.unlink()
        error = job.wait(30).error
        assert error.code == "key_revoked" and "send that again" in error.hint
        known.write_bytes(public)


def test_a_server_that_refuses_is_not_asked_again_and_again(shared_server, tmp_path, monkeypatch):
    with (
        another_user(shared_server, tmp_path / "max", monkeypatch, known=False) as key,
        Proxy(shared_server.address) as proxy,
        Client(proxy.address, key) as client,
    ):
        for _ in range(20):
            with pytest.raises(RecamError, match="let this computer's key in"):
                client.server()
        assert proxy.connections == 1
        monkeypatch.setattr(connection, "REFUSED_SECONDS", (0.01, 0.05))
        client._connection._pause = 0.0
        job = client.attach("0" * 32)  # somebody waits
        until(lambda: proxy.connections >= 6)
        assert client._connection._pause == 0.05  # not 0.01: each was longer than the last
        assert not job.state.ended


@pytest.mark.parametrize(
    "change",
    [{"jobs": [{"job": "../../x"}]}, {"jobs": "\x1b[2J"}, {}],
    ids=str,
)
def test_what_a_broken_server_answers_reaches_nobody(change, tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    with false_server({"job.list": change}) as address, Client(address) as client:
        with pytest.raises(RecamError) as caught:
            client.jobs()
        assert caught.value.code == "bad_message" and address in caught.value.sentence
        assert client.server()["server"] == "false"  # the connection goes on


def test_a_server_that_speaks_no_recam_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    with false_server({}, [b"\x80\x04N."]) as address:
        assert refused(address).code == "bad_message"


@contextlib.contextmanager
def false_server(answers: dict, instead: list[bytes] | None = None):
    """Its address; it holds the right key, welcomes everyone, and then answers as it is told."""
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.linger = 0
    router.curve_server = True
    router.curve_secretkey = server_keys().secret
    port = router.bind_to_random_port("tcp://127.0.0.1")
    about = {"protocol": 1, "server": "false", "engines": []}

    def serve():
        with contextlib.suppress(zmq.ContextTerminated):
            while True:
                sender, header = router.recv_multipart()
                asked = json.loads(header)
                kind = {"hello": "welcome"}.get(asked["type"], asked["type"])
                body = answers.get(kind, about)
                told = {"recam": 1, "type": kind, "id": 0, "re": asked["id"], "body": body}
                router.send_multipart([sender, *(instead or [json.dumps(told).encode()])])
        router.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"tcp://127.0.0.1:{port}"
    context.term()
    thread.join()


def test_a_damaged_client_key_on_the_server_keeps_nobody_else_out(
    shared_server, tmp_path, monkeypatch
):
    (shared_server.config / "clients").mkdir(exist_ok=True)
    damaged = shared_server.config / "clients" / "damaged.pub"
    damaged.write_text("this is no key")
    try:
        with Client(shared_server.address) as client:
            assert client.server()["protocol"] == 1
    finally:
        damaged.unlink()
    assert "damaged.pub" in shared_server.log.read_text()


def test_a_server_that_cannot_read_its_keys_lets_nobody_in_and_then_recovers(
    server, tmp_path, monkeypatch
):
    client_keys()
    file = server.config / "client.key"
    kept = file.read_bytes()
    with another_user(server, tmp_path / "dora", monkeypatch) as key:
        file.write_text("damaged")
        assert refused(server.address, key).code == "key_refused"
        file.write_bytes(kept)
        with Client(server.address, key) as client:
            assert client.server()["protocol"] == 1


def test_a_server_with_another_key_is_refused_in_words(shared_server):
    error = refused(shared_server.address, FOREIGN)
    assert error.code == "server_key"
    assert shared_server.address in error.sentence and "server.pub" in error.hint


def test_something_that_is_no_recam_server_is_not_taken_for_one(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 3)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        error = refused(f"tcp://127.0.0.1:{listener.getsockname()[1]}", patience=1)
        listener.shutdown(socket.SHUT_RDWR)
    assert error.code == "server_unreachable" and "No Recam server" in error.sentence


def test_no_server_is_said_once_patience_is_over(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = refused(f"tcp://127.0.0.1:{port}", patience=0.5)
    assert error.code == "server_unreachable"
    assert str(port) in error.sentence and "recam serve" in error.hint


def test_something_that_listens_and_says_nothing_is_said_once_patience_is_over(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refused(f"tcp://127.0.0.1:{silent.getsockname()[1]}", patience=0.5)
    assert error.code == "server_unreachable"


@pytest.mark.parametrize(
    "address", ["", "localhost", "tcp://", "http://127.0.0.1:1", "tcp://a b:1"]
)
def test_an_address_that_is_none_is_named(address, tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    monkeypatch.setenv("RECAM_SERVER", address or "nowhere")
    with pytest.raises(RecamError) as caught:
        Client(address)
    assert caught.value.code == "server_address"
    assert (address or "nowhere") in caught.value.sentence
    needs = f"It needs a port: {address or 'nowhere'}:47811."
    assert caught.value.hint == needs or address not in ("", "localhost")


def test_a_key_that_is_none_is_named(shared_server):
    with pytest.raises(RecamError) as caught:
        Client(shared_server.address, "abc")
    assert caught.value.code == "key_format"


def test_a_client_finds_a_server_that_starts_after_it(server):
    server.kill()
    with Client(server.address, patience=30) as client:
        job = client.attach("0" * 32)
        assert job.wait(0.3).stage == "connecting"
        server.start()
        assert job.wait(30).error.code == "no_such_job"


def test_a_known_server_that_is_away_behind_a_tunnel_is_waited_for(server):
    """A tunnel takes connections for a server that is not there, and drops them."""
    with Proxy(server.address) as tunnel, Client(tunnel.address, patience=30) as client:
        client.server()
        server.kill()
        known = tunnel.connections
        until(lambda: tunnel.connections >= known + 5)
        server.start()
        assert client.server(30)["protocol"] == 1
