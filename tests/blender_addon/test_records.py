"""What is kept of jobs: which file they belong to, and that one process alone follows each."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from tests.blender_fixtures import ROOT, load_pure

records = load_pure("jobs/records")


def record(**more):
    values = {
        "job": "a" * 32,
        "address": "tcp://127.0.0.1:1",
        "server_key": "",
        "name": "shot",
        "blend": "/jobs/shot.blend",
        "file": "1",
        "work": "",
        "strip": {},
        "plate": {},
        "request": {},
    }
    return records.Record(**{**values, **more})


@pytest.mark.parametrize(
    ("blend", "file", "there", "belongs"),
    [
        ("/jobs/shot.blend", "1", True, True),
        ("/jobs/shot.blend", "", True, True),  # not saved since it got its id
        ("/jobs/../jobs/shot.blend", "1", True, True),
        ("/jobs/shot.blend", "2", True, False),  # another file took its place
        ("/jobs/renamed.blend", "1", False, True),
        ("/jobs/copy.blend", "1", True, False),
        ("/jobs/other.blend", "2", False, False),
        ("/jobs/other.blend", "", False, False),
        ("", "1", False, False),  # an unsaved file
    ],
)
def test_a_job_belongs_to_its_file_wherever_that_went(blend, file, there, belongs):
    assert records.belongs(record(), blend, file, lambda path: there) == belongs


def test_a_file_that_another_was_saved_over_is_replaced():
    assert records.replaced(record(), "/jobs/shot.blend", "2")
    for blend, file in (("/jobs/shot.blend", "1"), ("/jobs/shot.blend", ""), ("/b.blend", "2")):
        assert not records.replaced(record(), blend, file)
    assert not records.replaced(record(blend=""), "", "2")


def test_a_job_of_an_unsaved_file_belongs_to_none_and_is_lost():
    unsaved = record(blend="")
    assert not records.belongs(unsaved, "/jobs/shot.blend", "1", lambda path: False)
    assert records.lost(unsaved)
    assert records.lost(record(), lambda path: False)
    assert not records.lost(record(), lambda path: True)


def test_what_is_written_is_read_the_oldest_first(tmp_path):
    old, new = record(made=1.0), record(job="b" * 32, made=2.0, error=("code", "It is.", ""))
    for each in (new, old):
        records.write(tmp_path, each)
    assert records.read(tmp_path, old.job) == old
    found = records.read_all(tmp_path)
    assert [each.job for each in found] == [old.job, new.job]
    assert tuple(found[1].error) == new.error
    records.remove(tmp_path, old.job)
    records.remove(tmp_path, old.job)
    assert [each.job for each in records.read_all(tmp_path)] == [new.job]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "job": "c"}'])
def test_what_is_no_record_of_this_version_is_left_alone(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    assert records.read_all(tmp_path) == [] and (tmp_path / "c.json").read_text() == text


def test_a_half_written_record_never_takes_the_place_of_a_whole_one(tmp_path):
    resource = pytest.importorskip("resource")
    records.write(tmp_path, record())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, limits[1]))  # as a disk that is full
    try:
        with pytest.raises(OSError):
            records.write(tmp_path, record(name="x" * 1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert records.read(tmp_path, "a" * 32) == record(made=records.read(tmp_path, "a" * 32).made)
    assert json.loads((tmp_path / f"{'a' * 32}.json").read_text())["version"] == 1


def test_one_process_has_a_claim_until_it_lets_go_or_dies(tmp_path):
    held = records.claim(tmp_path, "job")
    assert held is not None and records.claim(tmp_path, "job") is None
    held.close()
    script = """
        import sys, time
        from pathlib import Path
        from tests.blender_fixtures import load_pure
        held = load_pure("jobs/records").claim(Path(sys.argv[1]), "job")
        print(held is not None, flush=True)
        time.sleep(60)
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert other.stdout.readline() == "True\n"
        assert records.claim(tmp_path, "job") is None
    finally:
        other.kill()
        other.communicate()
    assert records.claim(tmp_path, "job") is not None


def test_no_claim_where_nothing_can_be_written(tmp_path):
    assert records.claim(tmp_path / "missing", "job") is None
