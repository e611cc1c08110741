"""A finished job's result is kept although the system opens no more files for a while."""

from __future__ import annotations

import asyncio
import errno
import os
import stat

import pytest
from takes import request

from inference_server.front.jobs import attempts, outcomes
from inference_server.front.journal.journal import Journal
from inference_server.front.storage.store import Store, keep

resource = pytest.importorskip("resource")  # Windows has none
FINISHED = outcomes.Outcome("finished", result={"takes": [{"size": 4}], "remarks": []})


@pytest.fixture
def attempt(tmp_path):
    """Store, entry, attempt: a worker has written its take."""
    journal, store = Journal(tmp_path / "journal.sqlite"), Store(tmp_path)
    asked = request(1)
    entry = journal.accept("ann's key", asked, asked.shot_data())
    name = attempts.new_attempt(entry.id)
    store.work_folder(name).mkdir(parents=True)
    store.draft(name).write_bytes(b"take")
    yield store, entry, name
    journal.close()


@pytest.fixture
def files(monkeypatch):
    """Those of this process are used up; what is called once ``kept`` waits gives them back."""
    monkeypatch.setattr(outcomes, "FILES_SECONDS", 0.1)
    before, held = resource.getrlimit(resource.RLIMIT_NOFILE), []
    highest = max(map(int, os.listdir("/dev/fd")))

    def use_up() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, before[1]))
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                return

    def give_back() -> None:
        while held:
            os.close(held.pop())
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    yield use_up, give_back
    give_back()


def keep_it(attempt, use_up=lambda: None, give_back=lambda: None) -> outcomes.Outcome:
    async def run() -> outcomes.Outcome:
        asyncio.get_running_loop().call_later(0.5, give_back)
        use_up()
        return await outcomes.kept(*attempt, FINISHED)

    return asyncio.run(run())


def test_it_is_kept_once_files_can_be_opened(attempt, files, caplog):
    store, entry, _ = attempt
    assert keep_it(attempt, *files) == FINISHED
    assert store.result(entry.owner, entry.id, 0).read_bytes() == b"take"
    assert "kept later" in caplog.text


def test_one_that_was_moved_and_not_flushed_is_not_thrown_away(attempt):
    store, entry, name = attempt
    keep(store.work_folder(name), store.result_folder(entry.owner, entry.id))
    assert keep_it(attempt) == FINISHED
    assert store.result(entry.owner, entry.id, 0).read_bytes() == b"take"


def test_a_disk_that_flushes_no_folder_keeps_it_all_the_same(attempt, monkeypatch):
    """As some do that are reached over a network; whatever else they say counts."""
    flush, says = os.fsync, [errno.EINVAL]
    asked = []

    def no_folder(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            asked.append(handle)
            raise OSError(says[0], os.strerror(says[0]))
        flush(handle)

    monkeypatch.setattr(os, "fsync", no_folder)
    store, entry, _ = attempt
    assert keep_it(attempt) == FINISHED and asked
    assert store.result(entry.owner, entry.id, 0).read_bytes() == b"take"
    says[0] = errno.EIO
    assert keep_it(attempt).error["code"] == "server_disk"


def test_any_other_trouble_of_the_disk_is_told(attempt, tmp_path):
    (tmp_path / "results").write_text("in the way")
    assert keep_it(attempt).error["code"] == "server_disk"
