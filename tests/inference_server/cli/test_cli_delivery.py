"""``--delete-on-delivery``, and what is told of a job that is left once it is sent."""

from __future__ import annotations

import re
from pathlib import Path

from takes import SHORT

from inference_server.video.probe import probe
from tests.shared.client.proxy import Proxy

CLIPS = Path(__file__).resolve().parents[2] / "clips"


def kept(server) -> list[str]:
    files = [*server.state.glob("results/*/*/*.mp4"), *server.state.glob("clips/*/*")]
    return [file.name for file in files]


def test_nothing_stays_on_the_server_once_the_take_is_here(shared_server, short_clip, tmp_path):
    for number in range(2):  # the second sends its clip again
        out = tmp_path / f"{number}.mp4"
        words = ("--camera", "static", "--delete-on-delivery", "-o", out)
        done = shared_server.run("submit", short_clip, *words)
        assert done.returncode == 0, done.stderr
        assert probe(out).frames == SHORT and kept(shared_server) == []


def test_a_job_that_was_left_is_deleted_when_it_is_fetched(shared_server, short_clip, tmp_path):
    out = tmp_path / "take.mp4"
    words = ("--camera", "static", "--delete-on-delivery", "--detach", "-o", out)
    left = shared_server.run("submit", short_clip, *words)
    assert left.returncode == 0, left.stderr
    fetched = shared_server.run("fetch", left.stdout.strip(), "-o", out)
    assert fetched.returncode == 0, fetched.stderr
    assert probe(out).frames == SHORT and kept(shared_server) == []
    again = shared_server.run("fetch", left.stdout.strip(), "-o", out, "--overwrite")
    assert again.returncode == 0 and "frames" in again.stdout  # what lies here is whole
    elsewhere = shared_server.run("fetch", left.stdout.strip(), "-o", tmp_path / "other.mp4")
    assert elsewhere.returncode == 1 and "no longer on the server" in elsewhere.stderr


def test_without_the_wish_the_server_keeps_them(shared_server, short_clip, tmp_path):
    done = shared_server.run(
        "submit", short_clip, "--camera", "static", "-o", tmp_path / "take.mp4"
    )
    assert done.returncode == 0, done.stderr
    assert len(kept(shared_server)) == 2
    [job] = [line.split()[0] for line in shared_server.run("jobs").stdout.splitlines()][:1]
    words = (job, "--delete-on-delivery", "-o", tmp_path / "again.mp4")
    fetched = shared_server.run("fetch", *words)
    assert fetched.returncode == 0, fetched.stderr
    assert kept(shared_server) == []


def test_the_sending_of_a_job_that_is_left_is_told_too(shared_server, tmp_path):
    """Where there is no terminal."""
    clip = CLIPS / "cityCC0.mpg"
    words = ("--camera", "static", "--frames", "4", "--detach", "-o", tmp_path / "take.mp4")
    with Proxy(shared_server.address) as proxy:
        proxy.slow = 2 * 65536 / clip.stat().st_size  # two seconds for all of it
        left = shared_server.run("submit", clip, *words, "--server", proxy.address)
    assert left.returncode == 0, left.stderr
    shares = [int(share) for share in re.findall(r"^uploading, (\d+) %", left.stderr, re.M)]
    assert shares == sorted(shares) and len(shares) >= 2, left.stderr
    assert re.fullmatch(r"[0-9a-f]{32}\n", left.stdout)
