"""One file from the hub: resumed, verified, and what is said when it cannot be had."""

from __future__ import annotations

import pytest
from hub_server import CAMERA, COMMIT, TEXT_ENCODER, VAE, WAN, use_endpoint

from inference_server.releases import hub as client
from shared.errors import RecamError


def _look(file: str, revision: str = "main") -> client.RemoteFile | None:
    owner, name, path = file.split("/", 2)
    return client.look((f"{owner}/{name}",), path, revision)


def _fetch(file: str, target) -> int:
    """Fetch; the sum of what ``on_bytes`` was told."""
    told = []
    client.fetch(_look(file), target, told.append)
    return sum(told)


@pytest.mark.parametrize("file", [VAE, f"{WAN}/config.json"])
def test_a_file_arrives_whole_with_the_sum_that_the_hub_names(hub, tmp_path, file):
    found = _look(file)
    assert (found.size, found.commit) == (len(hub.files[file]), COMMIT)
    assert _fetch(file, tmp_path / "a/file") == found.size
    assert (tmp_path / "a/file").read_bytes() == hub.files[file]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]


def test_a_file_that_the_repo_lacks_is_none(hub):
    assert _look(f"{WAN}/google/umt5-xxl/tokenizer.json") is None


def test_a_repo_that_has_moved_is_found_under_both_names(hub):
    new, old = CAMERA.rsplit("/", 1)[0], "KwaiVGI/ReCamMaster-Wan2.1"
    found = client.look((old,), "step20000.ckpt", "main")
    assert (found.size, found.etag) == (_look(CAMERA).size, _look(CAMERA).etag)
    assert client.look(("Nobody/Nothing", new), "step20000.ckpt", "main").repo == new


def test_a_cut_connection_is_taken_up_where_it_broke(hub, tmp_path):
    size = len(hub.files[VAE])
    hub.cuts[VAE] = [2_100_000, 1_000_000]
    assert _fetch(VAE, tmp_path / "vae") == size
    assert (tmp_path / "vae").read_bytes() == hub.files[VAE]
    # What was in flight when the line broke, at most a chunk each time, is sent again.
    assert size <= hub.sent[VAE] <= size + 2 * client.CHUNK


def test_a_second_run_goes_on_in_the_middle_of_the_file(hub, tmp_path):
    size = len(hub.files[VAE])
    hub.cuts[VAE] = [2_100_000] + [0] * client.TRIES
    with pytest.raises(RecamError) as raised:
        _fetch(VAE, tmp_path / "vae")
    assert raised.value.code == "hub_offline" and "Wan2.1_VAE.pth" in str(raised.value)
    assert not (tmp_path / "vae").exists()
    kept = client.kept(_look(VAE), tmp_path / "vae")
    assert kept >= 2_100_000 - client.CHUNK
    hub.sent.clear()
    assert _fetch(VAE, tmp_path / "vae") == hub.sent[VAE] == size - kept
    assert (tmp_path / "vae").read_bytes() == hub.files[VAE]


def test_a_server_without_ranges_sends_it_all_again(hub, tmp_path):
    hub.cuts[VAE], hub.ranges = [2_100_000], False
    assert _fetch(VAE, tmp_path / "vae") == len(hub.files[VAE])
    assert (tmp_path / "vae").read_bytes() == hub.files[VAE]


def test_a_truncated_file_is_named_and_never_appears(hub, tmp_path):
    hub.promised[VAE] = hub.files[VAE]
    hub.files[VAE] = hub.files[VAE][:-1000]
    for _ in range(2):  # the second asks for bytes that are not there
        with pytest.raises(RecamError) as raised:
            _fetch(VAE, tmp_path / "vae")
        assert raised.value.code == "weights_broken"
        assert "Wan2.1_VAE.pth ended after 3758571 of 3759571 bytes" in str(raised.value)
        assert not (tmp_path / "vae").exists()
    hub.files[VAE] = hub.promised.pop(VAE)
    assert _fetch(VAE, tmp_path / "vae") == 1000
    assert (tmp_path / "vae").read_bytes() == hub.files[VAE]


@pytest.mark.parametrize("file", [TEXT_ENCODER, f"{WAN}/config.json"])
def test_a_wrong_content_is_named_and_fetched_anew(hub, tmp_path, file):
    right = hub.files[file]
    found = _look(file)
    hub.files[file] = right[:100] + bytes([right[100] ^ 1]) + right[101:]
    with pytest.raises(RecamError) as raised:
        client.fetch(found, tmp_path / "file", lambda _: None)
    assert raised.value.code == "weights_broken" and file in str(raised.value)
    assert list(tmp_path.iterdir()) == []
    hub.files[file] = right
    assert _fetch(file, tmp_path / "file") == len(right)


def test_a_file_that_the_hub_has_replaced_is_not_mixed_with_the_old_one(hub, tmp_path):
    hub.cuts[VAE] = [2_100_000] + [0] * client.TRIES
    with pytest.raises(RecamError):
        _fetch(VAE, tmp_path / "vae")
    hub.files[VAE] = hub.files[VAE][::-1]
    assert _fetch(VAE, tmp_path / "vae") == len(hub.files[VAE])
    assert (tmp_path / "vae").read_bytes() == hub.files[VAE]


def test_an_unknown_revision_or_repo_is_said(hub):
    with pytest.raises(RecamError, match="has no such revision") as raised:
        _look(VAE, "v9")
    assert raised.value.code == "hub_refused"
    with pytest.raises(RecamError, match="Nobody/Nothing is not there"):
        client.look(("Nobody/Nothing",), "a", "main")


def test_no_network_is_said(hub, monkeypatch):
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(RecamError) as raised:
        _look(VAE)
    assert raised.value.code == "hub_offline" and "http://127.0.0.1:9" in str(raised.value)


def test_a_full_disk_is_said(hub, tmp_path, monkeypatch):
    part = client.partial(_look(VAE), tmp_path / "vae")
    part.symlink_to("/dev/full")
    with pytest.raises(RecamError) as raised:
        client.fetch(_look(VAE), tmp_path / "vae", lambda _: None)
    assert raised.value.code == "disk_full" and "Wan2.1_VAE.pth" in str(raised.value)
