"""``recam weights install`` against a hub on this machine, in this process."""

from __future__ import annotations

import io
import json
import sys

import pytest
import torch
from hub_server import BASE, CAMERA, COMMIT, TEXT_ENCODER, VAE, use_endpoint
from release_layouts import MINIATURE, checkpoint, trained_part
from safetensors.torch import load_file

from inference_server.cli import main
from inference_server.releases import convert
from inference_server.releases import hub as client
from inference_server.releases.layout import NETWORKS, find_release
from inference_server.releases.modules import checked_tensors, load_tokenizer


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def install(tmp_path, capsys, monkeypatch):
    """Run the command; its exit status, and all it said."""

    def run(*options: str, typed: str | None = None) -> tuple[int, str]:
        agreed = ["--yes"] if typed is None else []
        monkeypatch.setattr(sys, "stdin", Terminal(typed) if typed else io.StringIO())
        there = ("--releases", str(tmp_path / "releases"))
        status = main(["weights", "install", *there, *agreed, *options])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def _equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


def _saved(tensors: dict[str, torch.Tensor]) -> bytes:
    torch.save(tensors, content := io.BytesIO())
    return content.getvalue()


def test_what_is_installed_is_what_the_hub_has(hub, install, tmp_path):
    status, said = install()
    assert status == 0, said
    release = find_release(tmp_path / "releases/recammaster")
    assert release.layout == "recam"
    for network in NETWORKS:
        there, config = checked_tensors(release, network)
        public, same_config = checked_tensors(MINIATURE, network)
        assert _equal(there, public) and config == json.loads(json.dumps(same_config))
    words = "a street at dusk"
    assert load_tokenizer(release)(words) == load_tokenizer(MINIATURE)(words)
    about = json.loads((release.path / "release.json").read_text())
    assert {source["from"] for source in about["sources"]} == {
        f"KlingTeam/ReCamMaster-Wan2.1 at {COMMIT}",
        f"Wan-AI/Wan2.1-T2V-1.3B at {COMMIT}",
    }
    assert [path.name for path in (tmp_path / "releases/.incoming").iterdir()] == ["lock"]
    # Readable to a server of another user, as any file that one makes.
    ordinary = (release.path / "release.json").stat().st_mode
    assert (release.path / "vae.safetensors").stat().st_mode == ordinary


def test_only_what_is_needed_is_fetched_and_that_is_said(hub, install):
    status, said = install()
    assert status == 0 and hub.sent[BASE] == 0
    assert all(hub.sent[file] == len(hub.files[file]) for file in hub.sent)
    fetched = sum(len(content) for file, content in hub.files.items() if file != BASE)
    assert f"To fetch: {fetched / 1e6:.1f} MB" in said
    assert "Not fetched: Wan's own transformer" in said and "--with-base" in said
    assert said.count("Apache-2.0") == 2


def test_nothing_is_fetched_before_somebody_agrees(hub, install, tmp_path):
    for typed, reason in (("", "--yes"), ("n\n", "Nothing was fetched"), ("\n", "Nothing was")):
        status, said = install(typed=typed)
        assert status == 1 and reason in said and "Apache-2.0" in said
        assert sum(hub.asked.values()) == 0
        assert [path.name for path in (tmp_path / "releases/.incoming").iterdir()] == ["lock"]
    assert install(typed="y\n")[0] == 0


def test_the_base_transformer_on_request(hub, install, tmp_path):
    status, said = install("--with-base")
    assert status == 0, said
    kept = load_file(tmp_path / "releases/recammaster/base.safetensors")
    assert _equal(kept, load_file(MINIATURE.path / BASE))


def test_a_checkpoint_of_trained_tensors_alone_brings_the_base_with_it(hub, install, tmp_path):
    hub.files[CAMERA] = _saved(trained_part())
    status, said = install()
    assert status == 0, said
    tensors, _ = checked_tensors(find_release(tmp_path / "releases/recammaster"), "transformer")
    query = "blocks.0.attn1.to_q.weight"
    assert torch.equal(tensors[query], checkpoint()["blocks.0.self_attn.q.weight"])
    base = load_file(MINIATURE.path / BASE)
    assert torch.equal(tensors["patch_embedding.weight"], base["patch_embedding.weight"])


def test_an_install_that_broke_off_goes_on_where_it_was(hub, install, tmp_path):
    hub.cuts[VAE] = [2_100_000] + [0] * client.TRIES
    status, said = install()
    assert status == 1 and "Wan2.1_VAE.pth" in said and "goes on from there" in said
    assert not (tmp_path / "releases/recammaster").exists()
    before = dict(hub.sent)
    hub.sent.clear()
    status, said = install()
    assert status == 0 and "An earlier try left" in said
    assert hub.sent[CAMERA] == 0  # it was converted already
    assert before[VAE] + hub.sent[VAE] <= len(hub.files[VAE]) + client.CHUNK


def _nan(tensors: dict[str, torch.Tensor]) -> None:
    tensors["decoder.conv1.bias"][3] = float("nan")


def _short(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["decoder.conv1.bias"]


def _narrow(tensors: dict[str, torch.Tensor]) -> None:
    tensors["decoder.conv1.bias"] = tensors["decoder.conv1.bias"][:-1]


@pytest.mark.parametrize(
    "spoil, reason",
    [(_nan, "numbers that are not finite"), (_short, "lacks"), (_narrow, "shape is wrong")],
)
def test_weights_that_are_wrong_at_the_hub_are_named(hub, install, tmp_path, spoil, reason):
    right = hub.files[VAE]
    tensors = torch.load(io.BytesIO(right), weights_only=True)
    spoil(tensors)
    hub.files[VAE] = _saved(tensors)
    status, said = install()
    assert status == 1 and "Wan2.1_VAE.pth" in said and reason in said
    assert "conv" in said
    assert not (tmp_path / "releases/recammaster").exists()
    hub.files[VAE] = right  # and when the hub has mended it
    hub.sent.clear()
    assert install()[0] == 0
    assert hub.sent[VAE] == len(right) and hub.sent[CAMERA] == 0


def test_a_file_that_is_no_weights_is_named(hub, install):
    hub.files[TEXT_ENCODER] = b"<html>Sign in to the wireless network</html>" * 9
    status, said = install()
    assert status == 1 and "models_t5_umt5-xxl-enc-bf16.pth" in said and "<html>" in said


def test_networks_that_do_not_fit_each_other_are_not_a_release(hub, install, tmp_path):
    tensors = torch.load(io.BytesIO(hub.files[CAMERA]), weights_only=True)
    tensors["text_embedding.0.weight"] = tensors["text_embedding.0.weight"][:, :32]
    hub.files[CAMERA] = _saved(tensors)
    status, said = install()
    assert status == 1 and "32 wide" in said and "64" in said
    assert not (tmp_path / "releases/recammaster").exists()


def test_ctrl_c_while_fetching_says_what_is_kept(hub, install, tmp_path, monkeypatch):
    fetch = client.RemoteFile.url.fget

    def press(file):
        if file.path.endswith("Wan2.1_VAE.pth"):
            raise KeyboardInterrupt
        return fetch(file)

    monkeypatch.setattr(client.RemoteFile, "url", property(press))
    status, said = install()
    assert status == 130 and "MB are kept in" in said and "goes on from there" in said
    monkeypatch.undo()
    use_endpoint(monkeypatch, hub.url)
    assert install()[0] == 0


def test_ctrl_c_while_writing_leaves_nothing_half(hub, install, tmp_path, monkeypatch):
    def press(_tensors, path, **_):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(convert, "save_file", press)
    status, said = install()
    assert status == 130 and "are kept in" in said
    assert not (tmp_path / "releases/recammaster").exists()
    monkeypatch.undo()
    use_endpoint(monkeypatch, hub.url)
    hub.sent.clear()
    assert install()[0] == 0 and hub.sent[CAMERA] == 0


def test_a_file_that_cannot_be_written_is_said(hub, install, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    save = convert.save_file

    def on_a_full_disk(*words, **more):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
        try:
            save(*words, **more)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(convert, "save_file", on_a_full_disk)
    status, said = install()
    assert status == 1 and "transformer.safetensors could not be written" in said
    assert "0.8 MB are kept in" in said
    assert not list(tmp_path.rglob("transformer.*"))
    monkeypatch.setattr(convert, "save_file", save)
    hub.sent.clear()
    assert install()[0] == 0 and hub.sent[CAMERA] == 0


def test_ctrl_c_before_anything_arrived_leaves_nothing(hub, install, tmp_path, monkeypatch):
    def press(*_words):
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "get_hf_file_metadata", press)
    assert install()[0] == 130
    assert [path.name for path in (tmp_path / "releases").rglob("*")] == [".incoming", "lock"]


@pytest.fixture
def stopped(hub, install, monkeypatch):
    """An install that was stopped when the camera weights were done and the VAE had arrived."""
    save = convert.save_file

    def press(tensors, path, **more):
        if path.name == "vae.new":
            raise KeyboardInterrupt
        save(tensors, path, **more)

    monkeypatch.setattr(convert, "save_file", press)
    assert install()[0] == 130
    monkeypatch.setattr(convert, "save_file", save)


def test_a_download_that_went_bad_on_the_disk_is_fetched_anew(stopped, hub, install, tmp_path):
    (file,) = tmp_path.rglob("Wan2.1_VAE.pth")
    file.write_bytes(file.read_bytes()[:-100_000])
    status, said = install()
    assert status == 1 and "Wan2.1_VAE.pth" in said
    hub.sent.clear()
    assert install()[0] == 0
    assert hub.sent[VAE] == len(hub.files[VAE]) and hub.sent[CAMERA] == 0


def test_what_the_hub_has_replaced_since_is_fetched_anew(stopped, hub, install, tmp_path):
    new = checkpoint() | {"blocks.1.projector.bias": torch.ones(96, dtype=torch.bfloat16)}
    hub.files[CAMERA], hub.commit = _saved(new), COMMIT[::-1]
    hub.sent.clear()
    assert install()[0] == 0
    tensors, _ = checked_tensors(find_release(tmp_path / "releases/recammaster"), "transformer")
    assert (tensors["blocks.1.attn1.projector.bias"] == 1).all()
    assert hub.sent[CAMERA] == len(hub.files[CAMERA]) and hub.sent[VAE] == 0


def test_no_network_tells_what_to_fetch_by_hand(hub, install, monkeypatch):
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    status, said = install()
    assert status == 1 and "could not be fetched from http://127.0.0.1:9" in said
    for words in (
        "https://huggingface.co/KlingTeam/ReCamMaster-Wan2.1/resolve/main/step20000.ckpt\n"
        "    as ReCamMaster/checkpoints/step20000.ckpt",
        "https://huggingface.co/Wan-AI/Wan2.1-T2V-1.3B/resolve/main/google/umt5-xxl/spiece.model",
        "recam weights add",
    ):
        assert words in said


def test_offline_what_has_arrived_already_is_enough(hub, install, tmp_path, monkeypatch):
    save = convert.save_file

    def press(tensors, path, **more):
        if path.name == "text_encoder.new":
            raise KeyboardInterrupt
        save(tensors, path, **more)

    monkeypatch.setattr(convert, "save_file", press)
    assert install()[0] == 130
    monkeypatch.undo()
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    status, said = install()
    assert status == 0, said


def test_a_pinned_revision_is_what_is_asked_for(hub, install):
    status, said = install("--revision", COMMIT, "--wan-revision", COMMIT)
    assert status == 0, said
    status, said = install("--revision", "v9", "--name", "other")
    assert status == 1 and "ReCamMaster-Wan2.1 has no such revision" in said


def test_a_name_that_is_taken_or_impossible_is_said(hub, install, tmp_path):
    (tmp_path / "releases/taken").mkdir(parents=True)
    for name, reason in (("taken", "exists already"), ("../up", "cannot be the name")):
        status, said = install("--name", name)
        assert status == 1 and reason in said
    assert sum(hub.asked.values()) == 0
