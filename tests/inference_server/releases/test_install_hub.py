"""One file from the hub: resumed, verified, and what is said when it cannot be had."""

from __future__ import annotations

import pytest
from hub_server import CAMERA, COMMIT, TEXT_ENCODER, VAE, WAN, Hub
from huggingface_hub import constants

from inference_server.releases import hub
from shared.errors import RecamError


@pytest.fixture
def server(monkeypatch):
    made = Hub()
    _use(monkeypatch, made.url)
    monkeypatch.setattr(hub, "WAIT", 0.0)
    yield made
    made.close()


def _use(monkeypatch, url: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def _look(file: str, revision: str = "main") -> hub.RemoteFile | None:
    owner, name, path = file.split("/", 2)
    return hub.look((f"{owner}/{name}",), path, revision)


def _fetch(file: str, target) -> int:
    """Fetch; the sum of what ``on_bytes`` was told."""
    told = []
    hub.fetch(_look(file), target, told.append)
    return sum(told)


@pytest.mark.parametrize("file", [VAE, f"{WAN}/config.json"])
def test_a_file_arrives_whole_with_the_sum_that_the_hub_names(server, tmp_path, file):
    found = _look(file)
    assert (found.size, found.commit) == (len(server.files[file]), COMMIT)
    assert _fetch(file, tmp_path / "a/file") == found.size
    assert (tmp_path / "a/file").read_bytes() == server.files[file]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]


def test_a_file_that_the_repo_lacks_is_none(server):
    assert _look(f"{WAN}/google/umt5-xxl/tokenizer.json") is None


def test_a_repo_that_has_moved_is_found_under_both_names(server):
    new, old = CAMERA.rsplit("/", 1)[0], "KwaiVGI/ReCamMaster-Wan2.1"
    found = hub.look((old,), "step20000.ckpt", "main")
    assert (found.size, found.etag) == (_look(CAMERA).size, _look(CAMERA).etag)
    assert hub.look(("Nobody/Nothing", new), "step20000.ckpt", "main").repo == new


def test_a_cut_connection_is_taken_up_where_it_broke(server, tmp_path):
    size = len(server.files[VAE])
    server.cuts[VAE] = [2_100_000, 1_000_000]
    assert _fetch(VAE, tmp_path / "vae") == size
    assert (tmp_path / "vae").read_bytes() == server.files[VAE]
    # What was in flight when the line broke, at most a chunk each time, is sent again.
    assert size <= server.sent[VAE] <= size + 2 * hub.CHUNK


def test_a_second_run_goes_on_in_the_middle_of_the_file(server, tmp_path):
    size = len(server.files[VAE])
    server.cuts[VAE] = [2_100_000] + [0] * hub.TRIES
    with pytest.raises(RecamError) as raised:
        _fetch(VAE, tmp_path / "vae")
    assert raised.value.code == "hub_offline" and "Wan2.1_VAE.pth" in str(raised.value)
    assert not (tmp_path / "vae").exists()
    kept = hub.kept(_look(VAE), tmp_path / "vae")
    assert kept >= 2_100_000 - hub.CHUNK
    server.sent.clear()
    assert _fetch(VAE, tmp_path / "vae") == server.sent[VAE] == size - kept
    assert (tmp_path / "vae").read_bytes() == server.files[VAE]


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    server.cuts[VAE], server.ranges = [2_100_000], False
    assert _fetch(VAE, tmp_path / "vae") == len(server.files[VAE])
    assert (tmp_path / "vae").read_bytes() == server.files[VAE]


def test_a_truncated_file_is_named_and_never_appears(server, tmp_path):
    server.promised[VAE] = server.files[VAE]
    server.files[VAE] = server.files[VAE][:-1000]
    for _ in range(2):  # the second asks for bytes that are not there
        with pytest.raises(RecamError) as raised:
            _fetch(VAE, tmp_path / "vae")
        assert raised.value.code == "weights_broken"
        assert "Wan2.1_VAE.pth ended after 3758571 of 3759571 bytes" in str(raised.value)
        assert not (tmp_path / "vae").exists()
    server.files[VAE] = server.promised.pop(VAE)
    assert _fetch(VAE, tmp_path / "vae") == 1000
    assert (tmp_path / "vae").read_bytes() == server.files[VAE]


@pytest.mark.parametrize("file", [TEXT_ENCODER, f"{WAN}/config.json"])
def test_a_wrong_content_is_named_and_fetched_anew(server, tmp_path, file):
    right = server.files[file]
    found = _look(file)
    server.files[file] = right[:100] + bytes([right[100] ^ 1]) + right[101:]
    with pytest.raises(RecamError) as raised:
        hub.fetch(found, tmp_path / "file", lambda _: None)
    assert raised.value.code == "weights_broken" and file in str(raised.value)
    assert list(tmp_path.iterdir()) == []
    server.files[file] = right
    assert _fetch(file, tmp_path / "file") == len(right)


def test_a_file_that_the_hub_has_replaced_is_not_mixed_with_the_old_one(server, tmp_path):
    server.cuts[VAE] = [2_100_000] + [0] * hub.TRIES
    with pytest.raises(RecamError):
        _fetch(VAE, tmp_path / "vae")
    server.files[VAE] = server.files[VAE][::-1]
    assert _fetch(VAE, tmp_path / "vae") == len(server.files[VAE])
    assert (tmp_path / "vae").read_bytes() == server.files[VAE]


def test_an_unknown_revision_or_repo_is_said(server):
    with pytest.raises(RecamError, match="has no such revision") as raised:
        _look(VAE, "v9")
    assert raised.value.code == "hub_refused"
    with pytest.raises(RecamError, match="Nobody/Nothing is not there"):
        hub.look(("Nobody/Nothing",), "a", "main")


def test_no_network_is_said(server, monkeypatch):
    _use(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(RecamError) as raised:
        _look(VAE)
    assert raised.value.code == "hub_offline" and "http://127.0.0.1:9" in str(raised.value)


def test_a_full_disk_is_said(server, tmp_path, monkeypatch):
    part = hub.partial(_look(VAE), tmp_path / "vae")
    part.symlink_to("/dev/full")
    with pytest.raises(RecamError) as raised:
        hub.fetch(_look(VAE), tmp_path / "vae", lambda _: None)
    assert raised.value.code == "disk_full" and "Wan2.1_VAE.pth" in str(raised.value)
