"""Takes' files: deleted, cleaned up, gathered, and never one that something else uses."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def project(bpy, sequence, tmp_path):
    """A saved .blend; its folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    bpy.context.preferences.filepaths.save_version = 0
    save(bpy, folder / "shot.blend")
    return folder


def save(bpy, path=None, copy=False):
    bpy.ops.wm.save_as_mainfile(filepath=str(path or bpy.data.filepath), copy=copy)


@pytest.fixture
def strip(sequence, clip):
    return strips_of(sequence).new_movie("shot", str(clip), 2, 11)


@pytest.fixture
def take(addon, sequence, strip, clip):
    """Makes a take as a job does: file, sidecar, strip."""

    def run(blend=None):
        trajectory = addon.shared.cameras.trajectory
        lens = np.array([1.0, 5 / 3, 0.5, 0.5])
        shot = trajectory.Shot(trajectory.Trajectory.standing(np.eye(4), lens, Fraction(24), 24))
        folder, _ = addon.takes.folder.writable_folder()
        shutil.copy(clip, folder / ".job.mp4")
        file = addon.takes.folder.name_take(folder / ".job.mp4", strip.name)
        here = addon.takes.folder.bpy.data.filepath
        record = {"clip": "shot", "content_size": [160, 96], "blend": here, "job": "f" * 32}
        addon.takes.sidecar.write_sidecar(file, shot, record | ({"blend": blend} if blend else {}))
        result = addon.takes.place.Result(file, (160, 96), record)
        plate = addon.clip.plate.original_plate(strip, sequence)
        return addon.takes.place.place_takes(plate, [result])[0]

    return run


def files(folder):
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


PAIR = ["shot_take_001.json", "shot_take_001.mp4"]


def test_a_deleted_takes_file_goes_with_the_next_save(bpy, sequence, project, strip, take):
    take()
    save(bpy)
    folder = project / "recam_takes"
    assert files(folder) == PAIR
    bpy.ops.recam.delete_take()
    assert [s.name for s in strips_of(sequence)] == ["shot"] and not strip.mute
    assert sequence.sequence_editor.active_strip == strip
    assert files(folder) == PAIR  # the .blend on the disk still uses it
    save(bpy)
    assert files(folder) == []
    assert bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath) == {"FINISHED"}


def test_an_undo_before_the_save_keeps_the_file(bpy, sequence, project, take):
    take()
    save(bpy)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.recam.delete_take()
    bpy.ops.ed.undo_push(message="Delete Take")
    bpy.ops.ed.undo()
    save(bpy)
    assert files(project / "recam_takes") == PAIR
    assert "shot take 1" in strips_of(bpy.context.scene)


def test_leaving_without_saving_keeps_the_file(bpy, project, take):
    take()
    save(bpy)
    bpy.ops.recam.delete_take()
    path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True)
    save(bpy, project / "other.blend")
    assert files(project / "recam_takes") == PAIR
    bpy.ops.wm.open_mainfile(filepath=path)
    assert (project / "recam_takes" / PAIR[1]).is_file()


@pytest.mark.parametrize("how", ["under another name", "as a copy"])
def test_saving_elsewhere_keeps_what_the_first_file_uses(bpy, project, take, how):
    take()
    save(bpy)
    bpy.ops.recam.delete_take()
    save(bpy, project / "shot_v2.blend", copy=how == "as a copy")
    assert files(project / "recam_takes") == PAIR


def used_by_another_strip(bpy, sequence, made, project):
    strips_of(sequence).new_movie("again", bpy.path.abspath(made.filepath), 9, 80)


def used_in_another_scene(bpy, sequence, made, project):
    other = bpy.data.scenes.new("other")
    other.sequence_editor_create()
    meta = strips_of(other).new_meta("meta", 1, 1)
    strips_of(other).new_movie("x", bpy.path.abspath(made.filepath), 2, 1).move_to_meta(meta)


def used_by_a_movie_clip(bpy, sequence, made, project):
    bpy.data.movieclips.load(bpy.path.abspath(made.filepath))


def outside_the_folder(bpy, sequence, made, project):
    for name in PAIR:
        shutil.move(project / "recam_takes" / name, project / name)
    made.filepath = f"//{PAIR[1]}"


def without_its_sidecar(bpy, sequence, made, project):
    (project / "recam_takes" / PAIR[0]).unlink()


def used_through_a_link(bpy, sequence, made, project):
    (project.parent / "link").symlink_to(project)
    again = project.parent / "link" / "recam_takes" / PAIR[1]
    strips_of(sequence).new_movie("again", str(again), 9, 80)


def in_another_blend(bpy, sequence, made, project):
    save(bpy, project / "other.blend", copy=True)


def in_a_compressed_blend(bpy, sequence, made, project):
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "small.blend"), copy=True, compress=True)


@pytest.mark.parametrize(
    "use",
    [
        used_by_another_strip,
        used_in_another_scene,
        used_by_a_movie_clip,
        used_through_a_link,
        outside_the_folder,
        without_its_sidecar,
        in_another_blend,
        in_a_compressed_blend,
    ],
)
def test_a_file_that_something_else_uses_stays(bpy, sequence, project, take, addon, use):
    made = take()
    save(bpy)
    use(bpy, sequence, made, project)
    file = Path(bpy.path.abspath(made.filepath))
    assert addon.takes.removal.why_kept(made).startswith("Its file stays: ")
    bpy.ops.recam.delete_take()
    save(bpy)
    assert file.is_file() and "shot take 1" not in strips_of(sequence)


def test_another_blend_is_read_once_until_it_changes(
    bpy, sequence, project, take, addon, monkeypatch
):
    def save_other():
        other = str(project / "other.blend")
        bpy.ops.wm.save_as_mainfile(filepath=other, copy=True, compress=False)

    strips_of(sequence).remove(take())
    save(bpy)
    save_other()
    used, reads = addon.takes.used, []
    monkeypatch.setattr(
        used.mmap, "mmap", lambda *a, _own=used.mmap.mmap, **k: reads.append(a) or _own(*a, **k)
    )
    for _ in range(2):
        assert [file.name for file in addon.takes.removal.unused_takes()] == ["shot_take_001.mp4"]
    assert len(reads) == 1
    take_again = strips_of(sequence).new_movie(
        "again", str(project / "recam_takes" / "shot_take_001.mp4"), 5, 11
    )
    save_other()
    strips_of(sequence).remove(take_again)
    assert not addon.takes.removal.unused_takes() and len(reads) == 2


def test_in_a_folder_for_many_projects_the_take_of_the_blend_that_made_it_stays(
    bpy, sequence, project, take, preferences, tmp_path
):
    preferences.takes_folder = str(tmp_path / "rushes")
    made = take()
    file = Path(bpy.path.abspath(made.filepath))
    save(bpy)
    (tmp_path / "later").mkdir()
    save(bpy, tmp_path / "later" / "shot.blend")
    bpy.ops.recam.delete_take()
    save(bpy)
    assert file.is_file() and file.with_suffix(".json").is_file()
    bpy.ops.wm.open_mainfile(filepath=str(project / "shot.blend"))
    bpy.ops.recam.delete_take()
    save(bpy)
    assert not file.exists()


def test_gathering_leaves_what_the_first_blend_of_two_still_uses(bpy, take, tmp_path):
    old = Path(bpy.path.abspath(take().filepath))
    save(bpy, tmp_path / "shot.blend")
    save(bpy, tmp_path / "shot_v2.blend")
    bpy.ops.recam.gather_takes()
    save(bpy)
    assert files(tmp_path / "recam_takes") == PAIR and old.is_file()
    for each in (old, old.with_suffix(".json")):
        each.unlink()


def test_cleaning_up_removes_what_this_blend_made_and_nothing_uses(
    bpy, sequence, project, take, addon
):
    kept, gone, others = take(), take(), take(blend="/elsewhere/other.blend")
    folder = project / "recam_takes"
    (folder / "mine.mp4").write_bytes(b"an artist's own")
    (folder / "mine.json").write_text('{"take": "no"}')
    for each in (gone, others):
        strips_of(sequence).remove(each)
    save(bpy)
    assert [file.name for file in addon.takes.removal.unused_takes()] == ["shot_take_002.mp4"]
    bpy.ops.recam.clean_up_takes()
    before = files(folder)
    save(bpy)
    assert set(before) - set(files(folder)) == {"shot_take_002.json", "shot_take_002.mp4"}
    assert kept.name in strips_of(sequence)


def test_in_a_folder_for_many_projects_another_blend_of_that_name_is_another(
    bpy, sequence, project, take, preferences, tmp_path, addon
):
    preferences.takes_folder = str(tmp_path / "rushes")
    mine, others = take(), take(blend=str(tmp_path / "other project" / "shot.blend"))
    for each in (mine, others):
        strips_of(sequence).remove(each)
    assert [file.name for file in addon.takes.removal.unused_takes()] == ["shot_take_001.mp4"]


def test_takes_of_an_unsaved_file_are_gathered_beside_it_once_it_is_saved(
    bpy, sequence, take, addon, tmp_path
):
    made = take()
    old = Path(bpy.path.abspath(made.filepath))
    assert old.is_relative_to(addon.takes.folder.own_folder())
    clip = bpy.data.movieclips.load(str(old))
    with pytest.raises(RuntimeError, match="Save the"):
        bpy.ops.recam.gather_takes()
    (tmp_path / "project").mkdir()
    save(bpy, tmp_path / "project" / "shot.blend")
    bpy.ops.recam.gather_takes()
    assert made.filepath == "//recam_takes/shot_take_001.mp4" == clip.filepath
    assert files(tmp_path / "project" / "recam_takes") == PAIR and old.is_file()
    shot, record = addon.takes.sidecar.read_sidecar(addon.clip.strips.file_of(made))
    assert len(shot.trajectory) == 24 and record["blend"] == bpy.data.filepath
    save(bpy)
    assert not old.exists() and not old.with_suffix(".json").exists()
    assert (tmp_path / "project" / "recam_takes" / PAIR[1]).read_bytes()
    with pytest.raises(RuntimeError, match="All takes lie in the folder"):
        bpy.ops.recam.gather_takes()


def test_what_cannot_be_read_beside_a_take_is_gathered_as_it_is(
    bpy, sequence, strip, take, tmp_path
):
    strip.name = "one_take_only"
    old = Path(bpy.path.abspath(take().filepath))
    old.with_suffix(".json").write_text('{"of": "a newer Recam"}')
    (tmp_path / "project").mkdir()
    save(bpy, tmp_path / "project" / "shot.blend")
    bpy.ops.recam.gather_takes()
    save(bpy)
    new = tmp_path / "project" / "recam_takes" / "one_take_only_take_001.json"
    assert new.read_text() == '{"of": "a newer Recam"}' and not old.exists()


def test_a_folder_that_cannot_be_written_to_changes_nothing(bpy, sequence, take, addon, tmp_path):
    made = take()
    (tmp_path / "project").mkdir()
    save(bpy, tmp_path / "project" / "shot.blend")
    path = made.filepath
    (tmp_path / "project" / "recam_takes").write_text("in the way")
    with pytest.raises(RuntimeError, match="cannot be brought to"):
        bpy.ops.recam.gather_takes()
    file = Path(bpy.path.abspath(path))
    assert made.filepath == path and file.is_file()
    file.unlink()
    file.with_suffix(".json").unlink()


@pytest.fixture
def preferences(bpy, package):
    found = bpy.context.preferences.addons[package].preferences
    yield found
    found.takes_folder = ""


def test_takes_go_where_the_preferences_say(bpy, project, take, preferences, tmp_path):
    preferences.takes_folder = "//../rushes"
    take()
    assert files(tmp_path / "rushes") == PAIR
    preferences.takes_folder = str(tmp_path / "elsewhere")
    take()
    assert files(tmp_path / "elsewhere") == PAIR


def test_where_nothing_can_be_written_takes_go_to_the_users_folder(
    addon, project, preferences, tmp_path
):
    (tmp_path / "file").write_text("no folder")
    preferences.takes_folder = str(tmp_path / "file")
    folder, remark = addon.takes.folder.writable_folder()
    assert folder == addon.takes.folder.own_folder()
    assert str(tmp_path / "file") in remark and "Gather Takes" in remark


def test_a_name_is_never_used_twice_though_only_its_sidecar_is_left(addon, tmp_path):
    (tmp_path / "shot_take_001.json").write_text("{}")
    (tmp_path / "new.mp4").write_bytes(b"1")
    assert addon.takes.folder.name_take(tmp_path / "new.mp4", "shot").name == "shot_take_002.mp4"
