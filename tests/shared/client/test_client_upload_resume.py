"""Clips whose sending broke off, taken up by another process too; what goes twice is counted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from killing import MORE, WINDOW, killed_half_way
from proxy import Proxy
from servers import until

from shared.client.client import Client
from shared.protocol.limits import CHUNK_BYTES

WAIT = 60.0
SIZE = 40 * CHUNK_BYTES + 12345


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "clip.bin"
    path.write_bytes(np.random.default_rng().bytes(SIZE))
    return path


@pytest.fixture
def proxy(shared_server):
    with Proxy(shared_server.address) as made:
        yield made


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def clips(server, path: Path) -> list[bytes]:
    return [clip.read_bytes() for clip in server.state.glob(f"clips/*/{sha256(path)}")]


def test_an_upload_is_taken_up_where_a_killed_client_left_it(shared_server, proxy, file):
    killed_half_way(proxy, "sent", SIZE * 0.75, "send", file)
    told = []
    with Client(proxy.address) as client:
        digest = client.upload(file, lambda done, size: told.append(done)).result(WAIT)
    assert digest == sha256(file) and clips(shared_server, file) == [file.read_bytes()]
    assert told[0] > SIZE / 2
    assert proxy.sent < (SIZE + WINDOW) * MORE


def test_an_upload_is_taken_up_by_a_server_that_was_killed_too(server, file):
    with Proxy(server.address) as proxy:
        killed_half_way(proxy, "sent", SIZE * 0.75, "send", file)
        server.kill()
        server.start()
        before = proxy.sent
        with Client(proxy.address) as client:
            client.upload(file).result(WAIT)
        assert proxy.sent - before < SIZE / 2
    assert clips(server, file) == [file.read_bytes()]


def test_a_file_that_changed_since_is_another_upload(shared_server, proxy, file):
    killed_half_way(proxy, "sent", SIZE / 2, "send", file)
    file.write_bytes(np.random.default_rng().bytes(SIZE))
    with Client(proxy.address) as client:
        assert client.upload(file).result(WAIT) == sha256(file)
    assert clips(shared_server, file) == [file.read_bytes()]


def test_what_came_to_harm_on_the_server_is_found_out_and_sent_again(shared_server, proxy, file):
    """Also a file that changed and looks the same: as long, and of the same moment."""
    killed_half_way(proxy, "sent", SIZE / 2, "send", file)
    about = file.stat()
    file.write_bytes(np.random.default_rng().bytes(SIZE))
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    with Client(proxy.address) as client:
        assert client.upload(file).result(WAIT) == sha256(file)
    assert clips(shared_server, file) == [file.read_bytes()]


def test_two_clients_with_one_file_send_it_together(shared_server, file):
    """Two Blenders with one key: neither is disturbed by the other, and each knows it is there."""
    proxies = [Proxy(shared_server.address) for _ in range(2)]
    try:
        for proxy in proxies:
            proxy.slow = 0.002
        clients = [Client(proxy.address) for proxy in proxies]
        sending = [client.upload(file) for client in clients]
        assert [each.result(WAIT) for each in sending] == [sha256(file)] * 2
        for client in clients:
            client.close()
        assert sum(proxy.sent for proxy in proxies) < 2 * (SIZE + WINDOW) * MORE
    finally:
        for proxy in proxies:
            proxy.close()
    assert clips(shared_server, file) == [file.read_bytes()]


def test_a_second_client_takes_up_what_the_first_is_still_at(shared_server, proxy, file):
    proxy.slow = 0.01
    with Client(proxy.address) as slow, Client(shared_server.address) as fast:
        sending = slow.upload(file)
        until(lambda: proxy.sent > SIZE / 4)
        told = []
        assert fast.upload(file, lambda done, size: told.append(done)).result(WAIT) == sha256(file)
        assert told[0] > SIZE / 8
        proxy.slow = 0.0
        assert sending.result(WAIT) == sha256(file)
    assert clips(shared_server, file) == [file.read_bytes()]


@pytest.mark.parametrize("reset", [False, True], ids=["cut", "reset"])
def test_a_cut_of_an_upload_costs_a_window(shared_server, proxy, file, reset):
    proxy.reset = reset
    proxy.cut_after = SIZE // 2
    with Client(proxy.address, patience=20) as client:
        client.upload(file).result(WAIT)
    assert proxy.cut_after is None and proxy.sent < (SIZE + WINDOW) * MORE
    assert clips(shared_server, file) == [file.read_bytes()]
