"""The journal: a job ends once, and what was accepted is there whatever became of the files."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest
from servers import ROOT
from takes import SHORT, request

from inference_server.front.jobs import waiting as waitings
from inference_server.front.jobs.waiting import Waiting
from inference_server.front.journal import journal as journals
from inference_server.front.journal import journal_file
from inference_server.front.journal.journal import Journal
from shared.errors import RecamError
from shared.protocol.request import new_id


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.fixture
def at_work(journal):
    entry = journal.accept("me", request(SHORT, job=new_id()), b"{}")
    assert journal.start(entry, "projection", "it can")
    return journal.find("me", entry.id)


ENDS = {
    "finished": lambda journal, entry: journal.finish(entry, {"takes": [], "seconds": 1.0}),
    "failed": lambda journal, entry: journal.fail(entry, {"code": "x", "sentence": "", "hint": ""}),
    "cancelled": lambda journal, entry: journal.cancel(entry),
}


@pytest.mark.parametrize("stage", ENDS)
def test_an_end_is_the_last_word(journal, at_work, stage):
    ENDS[stage](journal, at_work)
    ended = journal.find("me", at_work.id)
    assert ended.stage == stage
    for other in ENDS.values():
        other(journal, at_work)
    journal.requeue(at_work)
    assert not journal.start(at_work, "projection", "") and not journal.cancelling(at_work)
    assert journal.find("me", at_work.id) == ended
    assert journal.queued() == journal.interrupted() == []


def test_an_end_that_comes_too_late_is_said_unless_it_is_the_same(journal, at_work, caplog):
    journal.cancel(at_work)
    journal.cancel(at_work)
    assert not caplog.records
    ENDS["finished"](journal, at_work)
    assert "has ended already, as cancelled; it is not made finished" in caplog.text


def test_a_job_is_not_handed_over_twice(journal, at_work):
    assert not journal.start(at_work, "projection", "")
    assert journal.find("me", at_work.id).attempts == 1


def test_nothing_ends_before_it_was_accepted(journal, at_work, monkeypatch):
    monkeypatch.setattr(journals.time, "time", lambda: at_work.accepted - 86400)
    journal.fail(at_work, {"code": "x", "sentence": "", "hint": ""})
    assert journal.find("me", at_work.id).ended == at_work.accepted


ACCEPT = """
import sys
from pathlib import Path

from inference_server.front.journal.journal import Journal
from takes import request

journal = Journal(Path(sys.argv[1]))
print("open", flush=True)
while True:
    entry = journal.accept("me", request(8), b"{}")
    print(entry.id, flush=True)
"""


def accepting(file, count: int, **more) -> list[str]:
    """Jobs that a process accepted before it was killed, right after one of them."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    command = [sys.executable, "-c", ACCEPT, str(file)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **more)
    lines = [process.stdout.readline().strip() for _ in range(count + 1)]
    process.kill()
    process.wait()
    process.stdout.close()
    return [line for line in lines[1:] if line]


@pytest.mark.parametrize("torn", ["garbage", "half a frame", "a stump of an index"])
def test_a_torn_end_of_the_file_loses_nothing_accepted(tmp_path, torn):
    file = tmp_path / "journal.sqlite"
    accepted = accepting(file, 40)
    log, index = (file.with_name(f"{file.name}-{name}") for name in ("wal", "shm"))
    if torn == "garbage":
        with log.open("ab") as end:
            end.write(os.urandom(10_000))
    elif torn == "half a frame":
        with log.open("ab") as end:
            end.write(log.read_bytes()[32 : 32 + 2000])
    else:
        index.write_bytes(b"\x18\xe2\x2d\x00")
    journal = Journal(file)
    assert {entry.id for entry in journal.queued()} >= set(accepted) and len(accepted) == 40
    journal.close()


def test_a_full_disk_refuses_in_words_and_loses_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    file = tmp_path / "journal.sqlite"
    journal = Journal(file)
    kept = [journal.accept("me", request(SHORT, job=new_id()), b"{}").id for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))  # of each file; the log has more
    try:
        with pytest.raises(RecamError) as caught:
            journal.accept("me", request(SHORT, job=new_id()), b" " * 100_000)
        assert caught.value.code == "server_disk" and "journal" in caught.value.sentence
        with pytest.raises(RecamError):
            journal.cancel(journal.find("me", kept[0]))
        assert journal.find("me", kept[0]).stage == "queued"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    kept.append(journal.accept("me", request(SHORT, job=new_id()), b"{}").id)
    journal.close()
    journal = Journal(file)
    assert [entry.id for entry in journal.queued()] == kept
    journal.close()


@pytest.mark.parametrize("ask", [*ENDS.values(), Journal.shot, Journal.queued, Journal.requeue])
def test_a_journal_that_cannot_be_read_says_so_and_goes_on_once_it_can(journal, at_work, ask):
    asked = (journal,) if ask is Journal.queued else (journal, at_work)
    journal._database.set_progress_handler(lambda: 1, 1)  # SQLite gives up whatever it is asked
    with pytest.raises(RecamError) as caught:
        ask(*asked)
    assert caught.value.code == "server_disk" and "journal" in caught.value.sentence
    journal._database.set_progress_handler(None, 0)
    assert journal.find("me", at_work.id) == at_work
    ask(*asked)


def test_a_thousand_who_wait_are_lined_up_once_a_change(monkeypatch):
    lined = Counter()
    real = waitings.line
    monkeypatch.setattr(waitings, "line", lambda *given: lined.update("x") or real(*given))
    lane = ("projection",)
    waiting = Waiting([lane], "projection")
    body = {"engine": "auto"}
    rest = {name: None for name in ("result", "error", "accepted", "ended")}
    for number in range(1000):
        waiting.add(
            journals.Entry(
                number, f"{number}", f"{number % 100}", "queued", body, 0, "", "", **rest
            )
        )
    served = waiting.line(lane)[0]
    assert sorted(waiting.before(entry) for entry in waiting) == list(range(1000))
    waiting.serve(served, "projection")
    assert sorted(waiting.before(entry) for entry in waiting) == list(range(999))
    assert lined["x"] == 2


def test_of_two_at_once_one_has_it(tmp_path):
    file = tmp_path / "journal.sqlite"
    Journal(file).close()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", ACCEPT, str(file)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.stdout.readline() for process in both]
    for process in both:
        process.kill()
    refused = "".join(process.communicate()[1] for process in both)
    assert said.count("open\n") == 1 and "another server" in refused
    Journal(file).close()


def test_what_is_no_file_of_a_journal_is_told_from_one_in_use(tmp_path):
    file = tmp_path / "journal.sqlite"
    holder = Journal(file)
    with pytest.raises(RecamError) as caught:
        Journal(file)
    assert caught.value.code == "state_in_use"
    holder.close()
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_file_of_an_older_server_gains_what_it_is_without(tmp_path, journal, at_work):
    journal.close()
    file = tmp_path / "journal.sqlite"
    with sqlite3.connect(file) as database:
        for name in journal_file._ADDED:
            database.execute(f"ALTER TABLE jobs DROP COLUMN {name}")
    database.close()
    for deaths in range(2):  # and keeps it the second time
        opened = Journal(file)
        (entry,) = opened.interrupted()
        assert entry == dataclasses.replace(at_work, front_deaths=deaths, attempts=1)
        opened.requeue(entry, blameless=True, front_died=True)
        assert opened.start(entry, "projection", "it can")
        opened.close()


def test_of_what_is_emptied_no_word_is_left_in_any_file(journal, tmp_path):
    """Also where rows are long, come between others, and pages of the file have been split."""
    jobs = []
    for number in range(120):
        name, prompt = f"secretname{number}.mp4", f"secretprompt{number} " * (1 + number % 50)
        asked = request(SHORT, job=new_id(), name=name, settings={"prompt": prompt})
        entry = journal.accept("me", asked, b"secretshot" * (number % 7) * 1000)
        error = {"code": "x", "sentence": f"The clip {name!r} is odd.", "hint": f"Look at {name}."}
        if number % 2:
            journal.fail(entry, error)
        else:
            take = {"size": 1, "sha256": "0" * 64, "width": 1, "height": 1, "frames": 1}
            takes = [take | {"report": {"said": prompt}}]
            result = {"takes": takes, "remarks": [prompt], "seconds": 1.0}
            journal.finish(entry, result)
        jobs.append(entry.id)
    for job in [*jobs[::3], *jobs[1::3], *jobs[2::3]]:
        journal.empty([journal.find("me", job)])
    assert not [file.name for file in tmp_path.glob("journal*") if b"secret" in file.read_bytes()]
    assert journal.find("me", jobs[1]).error["sentence"] == "The clip 'deleted' is odd."
    assert journal.find("me", jobs[0]).result["takes"][0]["sha256"] == "0" * 64
