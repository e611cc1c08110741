"""Whether the ReCamMaster engine can run with the weights and packages that are here."""

from __future__ import annotations

import importlib.util
import os
import re
import tomllib
from pathlib import Path

import pytest
from release_layouts import MINIATURE, as_diffusers, as_merged, as_public, as_recam

from inference_server.cli import main
from inference_server.cli.doctor import sentences
from inference_server.engines.registry import PACKAGES, engine_statuses
from inference_server.releases.layout import CHECKPOINT


def _status(folder):
    return next(s for s in engine_statuses(folder) if s.name == "recammaster")


@pytest.mark.parametrize("make", [as_public, as_recam, as_diffusers, as_merged])
def test_every_layout_lets_it_run(make, tmp_path):
    assert not _status(tmp_path).can_run
    make(tmp_path)
    assert _status(tmp_path).can_run


def test_a_missing_file_is_named(tmp_path):
    root = as_public(tmp_path)
    assert _status(root).can_run
    (root / CHECKPOINT).unlink()
    status = _status(root)
    assert not status.can_run
    assert f"{CHECKPOINT} is missing" in status.reason
    assert str(root) not in status.reason, "every client is told"


def test_what_is_removed_leaves_no_trace(tmp_path, capsys):
    """Unfinished and removed releases lie in a hidden folder, which is left when they are gone."""
    releases = tmp_path / "releases"
    for words in (["add", str(MINIATURE.path), "--name", "mini"], ["remove", "mini", "--yes"]):
        assert main(["weights", *words, "--releases", str(releases)]) == 0
    assert any(releases.iterdir()), "else this shows nothing"
    assert _status(releases).reason.startswith("it has no weights; ")
    assert f"There are no weights in {releases}." in sentences(releases, "tcp://127.0.0.1:9", None)


def _locked_folder(releases):
    if os.geteuid() == 0:
        pytest.skip("nothing is locked for root")
    (releases / "lost+found").mkdir(mode=0)


def _link_that_leads_nowhere(releases):
    (releases / "lost+found").symlink_to("x" * 300)  # longer than a name can be


@pytest.mark.parametrize("spoil", [_locked_folder, _link_that_leads_nowhere])
def test_what_cannot_be_read_is_passed_over(spoil, tmp_path, capsys):
    spoil(tmp_path)
    assert not _status(tmp_path).can_run
    assert not _status(tmp_path / "lost+found").can_run
    as_recam(tmp_path)
    assert _status(tmp_path).can_run
    assert main(["weights", "list", "--releases", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("recam: complete") and "lost+found" not in said


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (["diffusers", "transformers"], "diffusers, transformers"),
        (["accelerate", "sentencepiece", "ftfy"], "accelerate, sentencepiece, ftfy"),
        (["PIL", "google.protobuf"], "protobuf, pillow"),
    ],
)
def test_missing_packages_are_named_as_pip_knows_them(gone, said, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n in gone else there(n))
    status = _status(MINIATURE.path)
    assert not status.can_run
    assert f"not installed: {said} (pip install '.[model]' in Recam's folder)" in status.reason


def test_a_module_in_a_package_that_is_missing_too_is_named(monkeypatch):
    monkeypatch.setitem(PACKAGES, "no_such_package.module", "no-such")
    assert "not installed: no-such (" in _status(MINIATURE.path).reason


def test_every_package_of_the_model_is_looked_for():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"]["model"]}
    # The last two come with transformers and torch.
    assert set(PACKAGES.values()) == wanted - {"huggingface-hub", "filelock"}
