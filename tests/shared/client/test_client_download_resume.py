"""Takes whose fetching broke off, taken up by another process too; what comes twice is counted."""

from __future__ import annotations

import errno
import os
import time
from fractions import Fraction

import numpy as np
import pytest
from killing import MORE, WINDOW, killed_half_way
from proxy import Proxy
from servers import until

from inference_server.video.writer import Writer
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.client import download, parts
from shared.client.arriving import Arriving
from shared.client.client import Client
from shared.protocol.limits import CHUNK_BYTES
from shared.protocol.request import JobRequest

WAIT = 60.0
FRAMES = 40  # of noise, which cannot be compressed: a take of 8 MB


@pytest.fixture
def proxy(shared_server):
    with Proxy(shared_server.address) as made:
        yield made


@pytest.fixture(scope="module")
def done(_lasting, tmp_path_factory):
    """A finished job's id, its take, and what the server tells of that."""
    folder, pictures = tmp_path_factory.mktemp("noise"), np.random.default_rng(2)
    with Writer(folder / "noise.mp4", 640, 360, Fraction(25)) as writer:
        for _ in range(FRAMES):
            writer.write(pictures.integers(0, 256, (360, 640, 3), np.uint8))
    lens = lens_from_focal(35.0, 36.0, 16 / 9)
    asked = JobRequest(shot=Shot(make_move("static", FRAMES, Fraction(25), lens)), parts=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECAM_CONFIG", str(_lasting.config))
        with Client(_lasting.address) as client:
            job = client.shoot(asked, [folder / "noise.mp4"], folder / "take.mp4")
            state = job.wait(WAIT)
    assert state.stage == "finished", state
    return job.id, folder / "take.mp4", state.result["takes"][0]


@pytest.fixture
def out(tmp_path):
    (tmp_path / "takes").mkdir()
    return tmp_path / "takes" / "take.mp4"


def test_a_download_is_taken_up_where_a_killed_client_left_it(proxy, done, out):
    job, take, told = done
    killed_half_way(proxy, "received", told["size"] * 0.8, "fetch", job, out)
    assert not out.exists()
    [part] = out.parent.iterdir()
    assert part == parts.part_path(out, told["sha256"])
    with Client(proxy.address) as client:
        assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert out.read_bytes() == take.read_bytes() and [*out.parent.iterdir()] == [out]
    assert proxy.received < (told["size"] + WINDOW) * MORE


def test_a_cut_of_a_download_costs_a_window(proxy, done, out):
    job, take, told = done
    with Client(proxy.address, patience=20) as client:
        proxy.cut_received = told["size"] * 4 // 5
        assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert proxy.connections == 2
    assert out.read_bytes() == take.read_bytes()
    assert proxy.received < (told["size"] + WINDOW) * MORE


def test_a_closed_client_leaves_what_has_arrived(proxy, done, out):
    job, take, told = done
    proxy.slow = 0.005
    with Client(proxy.address) as client:
        fetching = client.attach(job, out)
        until(lambda: fetching.state.stage == "downloading" and fetching.state.step)
    assert parts.part_path(out, told["sha256"]).stat().st_size
    proxy.slow = 0.0
    with Client(proxy.address) as client:
        assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert out.read_bytes() == take.read_bytes()


@pytest.mark.parametrize("length", [3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 77, None, 10**8])
def test_a_part_that_does_not_fit_is_found_out(client, done, out, length):
    """Zeros, as a disk leaves them that lost its power: some, as many as there should be, more."""
    job, take, told = done
    with parts.part_path(out, told["sha256"]).open("wb") as part:
        part.truncate(length or told["size"])
    assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert out.read_bytes() == take.read_bytes() and [*out.parent.iterdir()] == [out]


def test_a_whole_part_costs_nothing(proxy, done, out):
    """The client died after the last byte."""
    job, take, told = done
    parts.part_path(out, told["sha256"]).write_bytes(take.read_bytes())
    with Client(proxy.address) as client:
        assert client.attach(job, out).wait(WAIT).stage == "finished"
        assert client.attach(job, out).wait(WAIT).stage == "finished"  # nor does a whole take
    assert out.read_bytes() == take.read_bytes() and [*out.parent.iterdir()] == [out]
    assert proxy.received < 100_000


def test_two_clients_may_fetch_the_same_take_to_the_same_place(shared_server, proxy, done, out):
    job, take, _ = done
    proxy.slow = 0.003
    with Client(proxy.address) as one, Client(shared_server.address) as other:
        first = one.attach(job, out)
        until(lambda: first.state.stage == "downloading" and first.state.step)
        assert other.attach(job, out).wait(WAIT).stage == "finished"
        assert first.wait(WAIT).stage == "finished"
    assert out.read_bytes() == take.read_bytes() and [*out.parent.iterdir()] == [out]


@pytest.mark.parametrize("kept", [True, False])
def test_a_part_may_be_whole_and_another_client_take_it(client, done, out, monkeypatch, kept):
    """Between the moment that the first lets it go and the one that it gives it its name."""
    job, take, _ = done
    replace = download.replace

    def replacing(draft, path):
        monkeypatch.setattr(download, "replace", replace)
        with Client(client.address) as faster:
            assert faster.attach(job, out).wait(WAIT).stage == "finished"
        if not kept:
            out.write_bytes(b"something else")
        replace(draft, path)

    monkeypatch.setattr(download, "replace", replacing)
    state = client.attach(job, out).wait(WAIT)
    if kept:
        assert state.stage == "finished" and out.read_bytes() == take.read_bytes()
    else:
        assert state.error.code == "result_unwritable"


def test_parts_that_nobody_asked_for_in_a_week_are_removed(client, done, out):
    job, *_ = done
    old, new = parts.part_path(out, "0" * 64), parts.part_path(out, "1" * 64)
    for part in (old, new):
        part.write_bytes(b"some")
    then = time.time() - parts.KEPT_SECONDS - 60
    os.utime(old, (then, then))
    foreign = out.with_name(".film.part")
    foreign.write_bytes(b"not Recam's")
    os.utime(foreign, (then, then))
    assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert sorted(out.parent.iterdir()) == sorted([foreign, new, out])


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("shot.mp4", "shot.v2.mp4"),
        ("shot.mp4", "shot-2.mp4"),
        ("shot [1].mp4", "shot 1.mp4"),
        (f"{'a long name' * 4}, left.mp4", f"{'a long name' * 4}, right.mp4"),
    ],
)
def test_what_has_arrived_is_thrown_away_for_one_take_alone(tmp_path, name, other):
    mine = [parts.part_path(tmp_path / name, digit * 64) for digit in "0f"]
    others = [parts.part_path(tmp_path / other, digit * 64) for digit in "0f"]
    for part in (*mine, *others):
        part.write_bytes(b"some")
    parts.remove(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_full_disk_is_said_before_anything_is_written(client, done, out, monkeypatch):
    """And what is kept there already is as it was."""
    job, take, told = done
    out.write_bytes(b"an older take")
    usage = parts.shutil.disk_usage(out.parent)._replace(free=told["size"] - 1)
    with monkeypatch.context() as patch:
        patch.setattr(parts.shutil, "disk_usage", lambda _: usage)
        error = client.attach(job, out).wait(WAIT).error
    assert error.code == "result_unwritable" and "the disk is full" in error.sentence
    assert "Make room" in error.hint and "recam fetch" in error.hint
    assert out.read_bytes() == b"an older take" and [*out.parent.iterdir()] == [out]
    assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert out.read_bytes() == take.read_bytes()


def test_a_disk_that_fills_up_meanwhile_gets_its_room_back(client, done, out, monkeypatch):
    job, take, _ = done
    keep = Arriving.keep

    def keep_some(arriving, data):
        if arriving.offset > 3 * CHUNK_BYTES:
            raise OSError(errno.ENOSPC, "No space left on device")
        keep(arriving, data)

    with monkeypatch.context() as patch:
        patch.setattr(Arriving, "keep", keep_some)
        error = client.attach(job, out).wait(WAIT).error
    assert error.code == "result_unwritable" and "the disk is full" in error.sentence
    assert [*out.parent.iterdir()] == []
    assert client.attach(job, out).wait(WAIT).stage == "finished"
    assert out.read_bytes() == take.read_bytes()


def test_a_take_is_on_the_disk_before_it_lies_at_its_place(client, done, out, monkeypatch):
    """Else a server that deletes on delivery might have had the only whole one."""
    order, replace = [], download.replace
    flush = Arriving.flush

    def flushing(arriving):
        flush(arriving)
        order.append(("flushed", out.exists()))

    def replacing(draft, path):
        replace(draft, path)
        order.append(("replaced", out.exists()))

    monkeypatch.setattr(Arriving, "flush", flushing)
    monkeypatch.setattr(download, "replace", replacing)
    assert client.attach(done[0], out).wait(WAIT).stage == "finished"
    assert order == [("flushed", False), ("replaced", True)]
