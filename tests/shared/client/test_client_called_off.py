"""A job that is called off while its files are sent leaves nothing of them on the server."""

from __future__ import annotations

import numpy as np
import pytest
from proxy import Proxy
from servers import until
from takes import SHORT, request

from shared.client.client import Client
from shared.protocol.limits import CHUNK_BYTES

WAIT = 60.0


@pytest.fixture
def files(tmp_path):
    """A small file and a larger one that the server has never seen."""
    made = []
    for name, chunks in (("small.bin", 2), ("large.bin", 60)):
        made.append(tmp_path / name)
        made[-1].write_bytes(np.random.default_rng().bytes(chunks * CHUNK_BYTES))
    return made


@pytest.fixture
def proxy(shared_server):
    with Proxy(shared_server.address) as made:
        yield made


@pytest.fixture
def client(proxy):
    with Client(proxy.address, patience=20) as made:
        yield made


def under_way(client, proxy, files, out, **more):
    """A job whose large file is being sent, slowly."""
    proxy.slow = 0.02
    sending = client.shoot(request(SHORT, **more), files, out)
    until(lambda: sending.state.steps == 60 * CHUNK_BYTES and sending.state.step)
    return sending


def lying(server, kind: str) -> list:
    return [path for path in server.state.glob(f"{kind}/*/*") if path.is_file()]


@pytest.mark.parametrize("deleted", [True, False])
def test_called_off_it_leaves_nothing(shared_server, client, proxy, files, tmp_path, deleted):
    """What has arrived whole is held for another time, unless the job was to leave nothing."""
    before = len(lying(shared_server, "clips"))
    job = under_way(client, proxy, files, tmp_path / "take.mp4", delete_on_delivery=deleted)
    assert lying(shared_server, "uploads")
    job.cancel()
    assert job.wait(WAIT).stage == "cancelled"
    assert not lying(shared_server, "uploads")
    assert len(lying(shared_server, "clips")) - before == (not deleted)


def test_closed_it_leaves_what_it_can_take_up_again(shared_server, client, proxy, files, tmp_path):
    job = under_way(client, proxy, files, tmp_path / "take.mp4", delete_on_delivery=True)
    client.close()
    assert job.state.stage != "finished"
    [upload] = lying(shared_server, "uploads")
    assert upload.stat().st_size
    with Client(shared_server.address) as again:
        again.upload(files[1]).result(WAIT)


def test_what_another_job_sends_goes_on(shared_server, client, proxy, files, tmp_path):
    job = under_way(client, proxy, files, tmp_path / "take.mp4")
    other = client.upload(files[1])
    until(lambda: client._connection.sending.most_common(1)[0][1] == 2)
    job.cancel()
    assert job.wait(WAIT).stage == "cancelled"
    assert lying(shared_server, "uploads")
    proxy.slow = 0
    other.result(WAIT)
    assert not lying(shared_server, "uploads")
