"""Clips on their way to the server, over connections that break."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest
from proxy import Proxy

from shared.client.client import Client
from shared.errors import RecamError
from shared.protocol.limits import CHUNK_BYTES

SIZE = 24 * CHUNK_BYTES + 12345


@pytest.fixture
def file(tmp_path):
    """A file that the server has never seen."""
    path = tmp_path / "clip.bin"
    path.write_bytes(np.random.default_rng().bytes(SIZE))
    return path


@pytest.fixture
def proxy(shared_server):
    with Proxy(shared_server.address) as made:
        yield made


@pytest.fixture
def client(proxy):
    with Client(proxy.address, patience=20) as made:
        yield made


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept(server, path) -> bool:
    """Whether the server holds the file, whole."""
    clips = server.state.glob(f"clips/*/{sha256(path)}")
    return [clip.read_bytes() for clip in clips] == [path.read_bytes()]


def test_a_file_arrives_whole_and_tells_how_far_it_is(shared_server, client, file):
    told = []
    digest = client.upload(file, lambda done, size: told.append((done, size))).result(60)
    assert digest == sha256(file)
    assert kept(shared_server, file)
    assert told[-1] == (SIZE, SIZE) and told == sorted(told) and len(told) == 25


def test_a_file_that_the_server_holds_is_not_sent_again(proxy, client, file):
    client.upload(file).result(60)
    assert proxy.sent > SIZE
    before = proxy.sent
    assert client.upload(file).result(60) == sha256(file)
    assert proxy.sent - before < SIZE / 2  # at most what leaves while the file is hashed


def test_a_small_file_that_the_server_holds_costs_no_chunk(proxy, client, tmp_path):
    file = tmp_path / "small.bin"
    file.write_bytes(os.urandom(300_000))
    client.upload(file).result(60)
    before = proxy.sent
    client.upload(file).result(60)
    assert proxy.sent - before < 10_000


def test_an_upload_goes_on_where_its_connection_was_cut(shared_server, proxy, client, file):
    proxy.cut_after = SIZE // 2
    told = []
    digest = client.upload(file, lambda done, size: told.append(done)).result(60)
    assert digest == sha256(file) and kept(shared_server, file)
    assert proxy.connections == 2
    # What was under way is sent again: eight chunks and what lay in buffers, not the first half.
    assert SIZE < proxy.sent < 1.45 * SIZE
    assert told == sorted(told)


def test_a_connection_that_brings_nothing_through_is_given_up(proxy, client, file):
    client.server()
    proxy.cut_always = CHUNK_BYTES // 2
    with pytest.raises(RecamError) as caught:
        client.upload(file).result(60)
    assert caught.value.code == "server_silent"
    assert "again and again" in caught.value.sentence and file.name in caught.value.sentence


def test_an_upload_outlives_the_server(server, file):
    with Proxy(server.address) as proxy, Client(proxy.address, patience=20) as client:
        proxy.slow = 0.002
        reached = []

        def stop_the_server(done, size):
            reached.append(done)
            if len(reached) == 4:
                server.process.kill()

        sending = client.upload(file, stop_the_server)
        server.process.wait(20)
        before = proxy.sent
        server.start()
        assert sending.result(60) == sha256(file)
        assert proxy.sent - before < SIZE - 2 * CHUNK_BYTES  # what was flushed is not sent again
    assert kept(server, file)


def test_a_file_that_grows_while_it_is_sent_is_refused(proxy, client, file):
    proxy.slow = 0.005

    def grow(done, size):
        with file.open("ab") as out:
            out.write(b"more")

    with pytest.raises(RecamError) as caught:
        client.upload(file, grow).result(60)
    assert caught.value.code == "clip_changed"
    assert file.name in caught.value.sentence


def test_a_file_that_is_not_there_is_named(client, tmp_path):
    with pytest.raises(RecamError) as caught:
        client.upload(tmp_path / "nothing.mov").result(20)
    assert caught.value.code == "clip_missing"
    assert "nothing.mov" in caught.value.sentence


def test_a_folder_is_no_file(client, tmp_path):
    with pytest.raises(RecamError) as caught:
        client.upload(tmp_path).result(20)
    assert caught.value.code == "clip_missing"


def test_the_same_file_sent_twice_at_once_arrives(shared_server, client, file):
    with Client(shared_server.address) as other:
        both = client.upload(file), other.upload(file)
        assert [each.result(60) for each in both] == [sha256(file)] * 2
    assert kept(shared_server, file)


def test_nothing_of_an_upload_is_left_once_it_is_a_clip(shared_server, client, file):
    def uploads():
        return {*shared_server.state.glob("uploads/*/*")}

    before = uploads()
    client.upload(file).result(60)
    assert uploads() == before
