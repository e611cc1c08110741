"""Which release a job gets, by name or without."""

from __future__ import annotations

import shutil

import pytest
from release_layouts import MINIATURE

from inference_server.engines.recammaster.engine import ReCamMasterEngine
from inference_server.releases.choice import choose_release
from inference_server.releases.layout import WAN
from shared.errors import RecamError


@pytest.fixture
def add(tmp_path):
    """Put the miniature release in the folder under a name."""
    return lambda name: shutil.copytree(MINIATURE.path, tmp_path / name)


def test_without_a_name_it_is_what_install_makes_else_the_first(add, tmp_path):
    add("mine")
    assert choose_release(tmp_path).name == "mine"
    add("another")
    assert choose_release(tmp_path).name == "another"
    add("recammaster")
    for release in (choose_release(tmp_path), ReCamMasterEngine(tmp_path, "cpu").release("")):
        assert release.path == tmp_path / "recammaster"


def test_without_a_name_a_release_cut_short_is_not_taken(add, tmp_path):
    add("mine")
    checkpoint = add("recammaster") / "ReCamMaster/checkpoints/step20000.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    assert choose_release(tmp_path).name == "mine"


def test_by_name(add, tmp_path):
    add("recammaster")
    assert choose_release(tmp_path, "recammaster").path == add("mine").with_name("recammaster")
    assert choose_release(tmp_path, "mine").path == tmp_path / "mine"
    with pytest.raises(RecamError, match=r"'other'.* Installed there: mine, recammaster") as caught:
        choose_release(tmp_path, "other")
    assert caught.value.code == "weights_missing"


def test_where_there_is_none(tmp_path):
    with pytest.raises(RecamError, match=r"no complete weights\. Installed there: none"):
        choose_release(tmp_path)


def test_weights_that_took_the_place_of_others_are_loaded(add, tmp_path):
    replaced = add("recammaster")
    engine = ReCamMasterEngine(tmp_path, "cpu")
    first = engine._load("")
    assert engine._load("") is engine._load("recammaster") is first
    for file in ("ReCamMaster/checkpoints/step20000.ckpt", f"{WAN}/Wan2.1_VAE.pth"):
        content = (replaced / file).read_bytes()
        (replaced / file).unlink()
        (replaced / file).write_bytes(content)
        second = engine._load("")
        assert second[0] == first[0] and second[1] is not first[1]
        assert engine._load("") is second
        first = second
