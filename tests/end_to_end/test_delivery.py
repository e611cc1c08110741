"""Takes that are here: the server is told, and deletes what it was asked to delete then."""

from __future__ import annotations

import os

import pytest

from tests.blender_fixtures import strips_of
from tests.end_to_end.reopening import close, names, records


@pytest.fixture
def asked(at, own_server, addon):
    """A server that is asked to delete what is delivered; what it keeps of clips and takes."""
    at(own_server.address)
    addon.preferences.preferences().delete_delivered = True
    state = own_server.folder / "state"

    def kept() -> list[str]:
        files = [*state.glob("clips/*/*"), *state.glob("results/*/*/*.mp4")]
        return [file.name for file in files]

    yield kept
    addon.preferences.preferences().delete_delivered = False


def test_clip_and_take_are_deleted_once_the_take_is_in_its_folder(
    bpy, blend, saved, asked, under_way, drive
):
    job = drive(under_way())
    assert job.take == "city take 1", str(job.error)
    assert job._told.done() and asked() == []
    [take] = saved.glob("*.mp4")
    assert take.stat().st_size
    bpy.context.scene.sequence_editor.active_strip = strips_of(bpy.context.scene)["city"]
    again = drive(under_way())  # the clip is sent again
    assert again.take == "city take 2", str(again.error)
    assert asked() == [] and len([*saved.glob("*.mp4")]) == 2


def test_without_the_wish_the_server_keeps_them_and_knows_that_they_are_here(
    addon, blend, asked, own_server, under_way, drive
):
    addon.preferences.preferences().delete_delivered = False
    job = drive(under_way())
    assert job.take and job._told.result(0)["stage"] == "finished"
    assert len(asked()) == 2
    assert [*own_server.folder.glob(f"state/results/*/{job.id}/delivered")]


def test_the_wish_is_that_of_the_moment_when_it_was_sent(addon, blend, asked, under_way, drive):
    job = under_way()
    addon.preferences.preferences().delete_delivered = False
    assert drive(job).take and asked() == []


def test_a_blender_that_takes_the_job_up_tells_it_too(bpy, blend, asked, under_way, opened, drive):
    under_way()
    close(bpy)
    [again] = opened(blend)
    assert drive(again).take and asked() == []


@pytest.fixture
def untold(addon, bpy, own_server, under_way, drive, monkeypatch):
    """A job whose server goes when its take is laid, before it has heard of that."""
    monkeypatch.setattr(addon.jobs.delivery, "HEARD_SECONDS", 0.2)
    place = addon.jobs.placing.place

    def placing(*arguments):
        own_server.stop()
        return place(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(addon.jobs.placing, "place", placing)
        job = drive(under_way())
    assert job.take == "city take 1", str(job.error)
    return job


def test_a_server_that_has_not_heard_of_it_is_told_once_it_is_back(
    bpy, addon, blend, asked, own_server, untold, drive
):
    assert len(asked()) == 2
    own_server.start()
    untold._told.result(20)
    assert asked() == []
    bpy.ops.wm.save_mainfile()
    assert not records(addon)


def test_it_is_told_by_a_later_blender_with_whatever_file(
    bpy, addon, blend, asked, own_server, untold, opened
):
    bpy.ops.wm.save_mainfile()
    assert records(addon)  # all is done but that
    close(bpy)  # the server is still away
    assert records(addon) and not addon.jobs.running.jobs and not addon.jobs.running.lost()
    own_server.start()
    close(bpy)
    [client] = addon.jobs.session._clients.values()
    client.ask("server.info").result(20)
    for _ in range(200):
        if not records(addon):
            break
        client.ask("server.info").result(20)
    assert asked() == [] and not records(addon)
    assert not opened(blend) and names(bpy) == ["city", "city take 1"]


def test_a_take_that_was_deleted_meanwhile_does_not_come_back(
    bpy, addon, blend, asked, untold, opened
):
    scene = bpy.context.scene
    strips_of(scene).remove(strips_of(scene)["city take 1"])
    bpy.ops.wm.save_mainfile()
    close(bpy)
    assert not opened(blend) and names(bpy) == ["city"]


@pytest.mark.skipif(os.name == "nt", reason="a folder that nobody may write to")
def test_a_take_that_could_not_be_written_is_fetched_again_not_rendered(
    bpy, addon, blend, saved, at, house, under_way, drive, monkeypatch
):
    at(house.address)
    parts = addon.shared.client.parts
    usage = parts.shutil.disk_usage(blend.parent)._replace(free=0)
    with monkeypatch.context() as patch:
        patch.setattr(parts.shutil, "disk_usage", lambda _: usage)
        job = drive(under_way())
    assert job.error.code == "result_unwritable" and "disk is full" in job.error.sentence
    assert job.to_fetch and not [*saved.iterdir()]
    assert bpy.ops.recam.fetch_again(job=job.id) == {"FINISHED"}
    [again] = addon.jobs.running.jobs
    assert again.id == job.id
    assert drive(again).take == "city take 1", str(again.error)
    assert bpy.ops.recam.fetch_again(job=job.id) == {"CANCELLED"}
