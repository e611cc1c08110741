"""``recam weights`` on a terminal, and what it lists and removes."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

import inference_server
from inference_server.cli import main

MINIATURE = Path(inference_server.__file__).parent / "miniature/release"


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def weights(tmp_path, capsys, monkeypatch):
    """Run ``recam weights …`` while somebody types ``typed``; exit status, and all it said."""

    def run(*words: str, typed: str | None = None) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
        status = main(["weights", *words, "--releases", str(tmp_path)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def release(tmp_path):
    """A release in the folder."""
    return Path(shutil.copytree(MINIATURE, tmp_path / "mini"))


def test_an_empty_folder_says_how_to_get_weights(weights):
    status, said = weights("list")
    assert status == 0 and "No weights in" in said and "recam weights install" in said


def test_a_release_is_listed_with_layout_size_dtype_and_place(weights, release):
    status, said = weights("list")
    size = sum(file.stat().st_size for file in release.rglob("*") if file.is_file())
    assert status == 0
    assert said.startswith(f"mini: complete, layout public, {size / 1e6:.1f} MB\n  {release}\n")


def test_an_incomplete_release_is_listed_with_what_it_lacks(weights, release):
    (release / "Wan-AI/Wan2.1-T2V-1.3B/Wan2.1_VAE.pth").unlink()
    _, said = weights("list")
    assert "mini: incomplete" in said and "lacks Wan-AI/Wan2.1-T2V-1.3B/Wan2.1_VAE.pth" in said


@pytest.fixture
def added(weights, tmp_path):
    """A release in the folder, in Recam's own layout."""
    assert weights("add", str(MINIATURE), "--name", "added")[0] == 0
    return tmp_path / "added"


@pytest.mark.parametrize("content", ["{", "[3]", '{"sources": [{"file": "a"}]}', '{"sources": 3}'])
def test_a_damaged_release_json_stops_neither_list_nor_remove(weights, added, release, content):
    (added / "release.json").write_text(content)
    status, said = weights("list")
    assert status == 0 and "mini: complete" in said and "release.json" in said
    assert ("added: incomplete" in said) == (content == "{")
    status, said = weights("remove", "added", "--yes")
    assert status == 0 and not added.exists()


def test_a_network_cut_short_makes_a_release_incomplete(weights, added):
    file = added / "transformer.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    status, said = weights("list")
    assert status == 0 and "added: incomplete" in said
    assert "lacks transformer.safetensors (the one there is cut short or damaged)" in said


def test_a_file_cut_short_is_listed_and_removed(weights, tmp_path):
    shutil.copy(MINIATURE / "Wan-AI/Wan2.1-T2V-1.3B/diffusion_pytorch_model.safetensors", tmp_path)
    file = (tmp_path / "diffusion_pytorch_model.safetensors").rename(tmp_path / "own.safetensors")
    file.write_bytes(file.read_bytes()[:-1])
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer/spiece.model").write_bytes(b"")
    status, said = weights("list")
    assert status == 0 and said.startswith("own: incomplete") and "cut short" in said
    assert "notes" not in said
    status, said = weights("add", str(file), "--name", "mine")
    assert status == 1 and "own.safetensors (the one there is cut short" in said
    assert weights("remove", "own", "--yes")[0] == 0 and not file.exists()


def test_a_relative_folder(weights, release, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path.parent)
    assert main(["weights", "remove", "mini", "--yes", "--releases", tmp_path.name]) == 0
    assert not release.exists()


def test_a_folder_of_something_else_is_not_listed(weights, tmp_path):
    (tmp_path / "holiday pictures").mkdir()
    assert "holiday" not in weights("list")[1]


@pytest.mark.parametrize(("typed", "gone"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_remove_asks_on_a_terminal(weights, release, typed, gone):
    status, said = weights("remove", "mini", typed=typed)
    assert (status == 0) == gone != release.exists()
    assert ("is deleted" if gone else "Nothing was deleted") in said


def test_remove_needs_yes_where_nobody_is_there(weights, release):
    status, said = weights("remove", "mini")
    assert status == 1 and "--yes" in said and release.exists()
    status, said = weights("remove", "mini", "--yes")
    assert status == 0 and not release.exists()
    assert "mini" not in weights("list")[1]


def test_remove_says_what_there_is(weights, release):
    status, said = weights("remove", "mine", "--yes")
    assert status == 1 and "'mine'" in said and "There is: mini." in said


def test_remove_leaves_alone_what_lies_beside_other_things(weights, release, tmp_path):
    for child in release.iterdir():
        child.rename(tmp_path / child.name)
    status, said = weights("remove", tmp_path.name, "--yes")
    assert status == 1 and "ReCamMaster" in said
    assert (tmp_path / "ReCamMaster").exists()
