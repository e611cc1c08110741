"""What is removed from a state folder, in which order, and what never is."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
import time
from collections import OrderedDict
from fractions import Fraction

import numpy as np
import pytest

from inference_server.front.journal.journal import Journal
from inference_server.front.limits import Limits
from inference_server.front.storage import housekeeping, uses
from inference_server.front.storage.days import DAY, Days
from inference_server.front.storage.housekeeping import Housekeeping
from inference_server.front.storage.kept import DELIVERED, use
from inference_server.front.storage.store import Incoming, Store
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.errors import RecamError
from shared.protocol.request import JobRequest

ANN, BEN = "ann's key", "ben's key"
KB = 1000
RESULT = {"takes": [{"size": 1, "frames": 1}], "remarks": [], "seconds": 1.0}


class House:
    """A state folder whose server has seen a year."""

    def __init__(self, folder, **limits) -> None:
        self.store, self.journal = Store(folder), Journal(folder / "journal.sqlite")
        self.incoming: OrderedDict = OrderedDict()
        self.limits = Limits(**limits)
        now = time.time()
        notes = [[now - day * DAY, 365 - day] for day in range(365, -1, -1)]
        (folder / "days.json").write_text(
            str({"time": now, "seen": 365, "notes": notes}).replace("'", '"')
        )

    def housekeeping(self) -> Housekeeping:
        return Housekeeping(self.store, self.journal, self.limits, self.incoming)

    def tidy(self, owner: str = "", need: int = 0) -> None:
        asyncio.run(self.housekeeping().tidy(owner, need))

    def make_room(self, owner: str, need: int) -> None:
        asyncio.run(self.housekeeping().make_room(owner, need, need))

    def clip(self, owner: str, days: float, size: int = KB):
        return self._put(self.store.clip(owner, secrets.token_hex(32)), days, size)

    def upload(self, owner: str, days: float, size: int = KB):
        return self._put(self.store.upload(owner, secrets.token_hex(16)), days, size)

    def job(self, owner: str, *clips, stage: str = "queued", days: float = 0.0, take: int = KB):
        """A job that names those clips; a finished one has a result of that size and age."""
        lens = np.array(lens_from_focal(35, 36, 16 / 9))
        shot = Shot(make_move("static", 1, Fraction(25), lens))
        request = JobRequest(shot, tuple(clip.name for clip in clips) or ("0" * 64,))
        entry = self.journal.accept(owner, request, request.shot_data())
        if stage == "queued":
            return entry
        self.journal.start(entry, "projection", "")
        if stage == "failed":
            self.journal.fail(entry, {"code": "x", "sentence": "X.", "hint": ""})
        else:
            self.journal.finish(entry, RESULT)
            self._put(self.store.result(owner, entry.id, 0), days, take)
            self._age(self.store.result_folder(owner, entry.id), days)
        self.journal._database.execute(
            "UPDATE jobs SET ended = ? WHERE number = ?", (time.time() - days * DAY, entry.number)
        )
        return entry

    def result(self, entry):
        return self.store.result_folder(entry.owner, entry.id)

    def _put(self, path, days, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        return self._age(path, days)

    def _age(self, path, days):
        os.utime(path, 2 * (time.time() - days * DAY,))
        return path


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.journal.close()


def small(house, own: int, every: int | None = None) -> None:
    house.limits = Limits(bytes=every or 10 * own, bytes_per_client=own)


def test_what_is_old_goes_and_what_is_young_stays(house):
    old = [
        house.clip(ANN, 15),
        house.upload(ANN, 1.5),
        house.result(house.job(ANN, stage="finished", days=31)),
    ]
    young = [
        house.clip(ANN, 13),
        house.upload(ANN, 0.5),
        house.result(house.job(ANN, stage="finished", days=29)),
    ]
    house.tidy()
    assert [path.exists() for path in old] == [False] * 3
    assert [path.exists() for path in young] == [True] * 3
    assert not [*(house.store.folder / "removed").iterdir()]


def test_what_is_in_use_stays_however_old(house):
    clip, old_clip, upload = house.clip(ANN, 100), house.clip(BEN, 100), house.upload(ANN, 100)
    house.job(ANN, clip)
    # Another's job needs another's clip, even of the same content.
    house.incoming[ANN, upload.name] = Incoming(upload, 10 * KB)
    os.utime(upload, (0, 0))
    house.tidy()
    assert clip.exists() and upload.exists() and not old_clip.exists()
    house.incoming.popitem()[1].close()


def test_jobs_are_forgotten_last_and_not_before_their_results(house):
    gone, kept = house.job(ANN, stage="failed", days=91), house.job(ANN, stage="failed", days=89)
    waiting = house.job(ANN)
    house.journal._database.execute(
        "UPDATE jobs SET accepted = 0 WHERE number = ?", (waiting.number,)
    )
    house.limits = Limits(result_days=200)
    with_result = house.job(ANN, stage="finished", days=120)
    house.tidy()
    found = [house.journal.find(ANN, entry.id) for entry in (gone, kept, waiting, with_result)]
    assert [bool(each) for each in found] == [False, True, True, True]


def test_jobs_without_results_are_bounded_by_number_and_the_newest_stay(house):
    house.limits = Limits(ended_per_client=2)
    with_result = house.job(ANN, stage="finished")
    without = [house.job(ANN, stage="finished") for _ in range(3)]
    for entry in without:
        shutil.rmtree(house.result(entry))
    failed, others = house.job(ANN, stage="failed"), house.job(BEN, stage="failed")
    waiting = house.job(ANN)
    house.tidy()
    left = [with_result, without[2], failed, others, waiting]
    assert [house.journal.find(each.owner, each.id) is None for each in left] == [False] * 5
    assert [house.journal.find(ANN, each.id) for each in without[:2]] == [None] * 2


def test_a_job_that_finishes_while_others_are_forgotten_stays(house):
    house.limits = Limits(ended_per_client=0)
    finished, failed = house.job(ANN, stage="finished"), house.job(ANN, stage="failed")
    asyncio.run(house.housekeeping()._forget([]))  # as nothing was found before it
    assert house.journal.find(ANN, finished.id) and not house.journal.find(ANN, failed.id)


def test_who_asks_whether_a_clip_is_named_keeps_nobody_waiting(house):
    clip, other = house.clip(ANN, 0), house.clip(ANN, 0)
    for _ in range(uses.NAMED_AT_ONCE):
        house.job(ANN)

    async def ask(digest: str, jobs: list) -> bool:
        asked = asyncio.ensure_future(uses.was_named(house.journal, ANN, digest))
        await asyncio.sleep(0)
        assert not asked.done(), "others have their turn"
        for owner in jobs:
            house.job(owner, clip)
        return await asked

    assert not asyncio.run(ask(clip.name, [BEN]))
    assert asyncio.run(ask(clip.name, [ANN])), "one that came meanwhile counts"
    assert not asyncio.run(ask(other.name, []))


def test_where_there_is_no_room_the_least_lately_used_goes_first(house):
    small(house, 10 * KB)
    clips = [house.clip(ANN, days, 2 * KB) for days in (9, 3, 5, 2)]
    other = house.clip(BEN, 12, 2 * KB)
    house.make_room(ANN, 5 * KB)
    assert [clip.exists() for clip in clips] == [False, True, False, True]
    assert other.exists()  # there is room for what is not hers


def test_all_together_are_bounded_too(house):
    small(house, 8 * KB, 10 * KB)
    clips = [house.clip(ANN, 9, 4 * KB), house.clip(BEN, 8, 4 * KB), house.clip(BEN, 2, KB)]
    house.make_room(BEN, 2 * KB)
    assert [clip.exists() for clip in clips] == [False, True, True]


def test_tiny_files_are_no_way_round_what_one_client_may_have(house):
    house.limits = Limits(files_per_client=10, files=13)
    named = [house.clip(ANN, 0.1, size=1) for _ in range(3)]
    house.job(ANN, *named)
    idle = [house.clip(ANN, 2 + day, size=1) for day in range(7)]
    others = house.clip(BEN, 3, size=1)
    house.tidy()
    assert all(clip.exists() for clip in [*named, *idle, others])
    house.make_room(ANN, 1)
    assert [clip.exists() for clip in idle] == [True] * 6 + [False]
    for _ in range(7):
        house.clip(ANN, 0.5, size=1)  # just sent, and no job has named them yet
    with pytest.raises(RecamError) as caught:
        house.make_room(ANN, 1)
    assert caught.value.code == "client_limit" and "10 files" in caught.value.sentence
    assert others.exists() and not any(clip.exists() for clip in idle)
    house.make_room(BEN, 1)
    for _ in range(3):
        house.clip(BEN, 0.5, size=1)
    with pytest.raises(RecamError) as caught:
        house.make_room(BEN, 1)
    assert caught.value.code == "server_full" and "13 files" in caught.value.sentence


def test_uploads_that_have_begun_count_before_they_are_there(house):
    house.limits = Limits(files_per_client=3)
    house.clip(ANN, 0.5)

    async def begin() -> None:
        keeper = house.housekeeping()
        for _ in range(2):
            await keeper.make_room(ANN, 1, 1)
        assert keeper._lacks(keeper._space(), ANN, 1).code == "client_limit"

    asyncio.run(begin())


def test_many_clips_cost_the_journal_few_questions(house):
    clips = [house.clip(ANN, 15) for _ in range(200)]
    for clip in clips[:120]:
        house.job(ANN, clip)
    asked: list[str] = []
    house.journal._database.set_trace_callback(asked.append)
    house.tidy()
    assert len(asked) < 20
    assert [clip.exists() for clip in clips] == [True] * 120 + [False] * 80


def test_a_job_that_comes_while_the_journal_is_read_keeps_its_clip(house, monkeypatch):
    clip, other = house.clip(ANN, 15), house.clip(ANN, 15)
    read = uses.named

    async def and_then_a_job(*arguments):
        found = await read(*arguments)
        use(clip)  # as whoever accepts it does
        house.job(ANN, clip)
        return found

    monkeypatch.setattr(uses, "named", and_then_a_job)
    house.tidy()
    assert clip.exists() and not other.exists()


def test_nothing_that_is_needed_makes_room(house):
    small(house, 10 * KB)
    clips = [house.clip(ANN, 5, 3 * KB), house.clip(ANN, 0.5, 3 * KB)]
    house.job(ANN, clips[0])  # it waits; the other one's job is about to be sent
    new = house.job(ANN, stage="finished", days=2, take=3 * KB)  # not fetched so far
    with pytest.raises(RecamError) as refused:
        house.make_room(ANN, 2 * KB)
    assert refused.value.code == "client_limit"
    assert "9 kB" in refused.value.sentence and "10 kB" in refused.value.sentence
    assert all(clip.exists() for clip in clips) and house.result(new).exists()
    (house.result(new) / DELIVERED).touch()
    house._age(house.result(new), 2)
    house.make_room(ANN, 2 * KB)
    assert not house.result(new).exists() and all(clip.exists() for clip in clips)


def test_a_clip_that_is_being_sent_counts_as_what_it_will_be(house):
    small(house, 10 * KB)
    upload = house.upload(ANN, 0, KB)
    house.incoming[ANN, upload.name] = Incoming(upload, 7 * KB)
    house.make_room(ANN, 3 * KB)
    with pytest.raises(RecamError, match="7 kB"):
        house.make_room(ANN, 4 * KB)
    house.incoming.popitem()[1].close()


def test_uploads_that_begin_are_counted_before_they_arrive(house):
    small(house, 10 * KB)

    async def two() -> None:
        keeping = house.housekeeping()
        await keeping.make_room(ANN, 6 * KB, 6 * KB)
        upload = house.upload(ANN, 0, 0)
        house.incoming[ANN, upload.name] = Incoming(upload, 6 * KB)
        with pytest.raises(RecamError) as refused:
            await keeping.make_room(ANN, 6 * KB, 6 * KB)
        assert refused.value.code == "client_limit"
        assert "an hour after" in refused.value.hint and "at once" in refused.value.hint

    asyncio.run(two())
    house.incoming.popitem()[1].close()


def test_what_never_fits_is_told_apart(house):
    small(house, 10 * KB)
    with pytest.raises(RecamError) as refused:
        house.make_room(ANN, 11 * KB)
    assert refused.value.code == "clip_size"
    assert "11 kB" in refused.value.sentence and "10 kB" in refused.value.sentence


def test_a_clock_ten_years_ahead_wipes_nothing(house):
    things = [house.clip(ANN, 5), house.result(house.job(ANN, stage="finished", days=20))]
    file = house.store.folder / "days.json"
    calendar = Days(file)
    jumped = time.time() + 3650 * DAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: jumped)
        house.tidy()
    house.tidy()
    assert all(thing.exists() for thing in things)
    assert calendar.age(jumped) == 0


def test_strange_things_are_left_alone(house, tmp_path, caplog):
    owner = hashlib.sha256(ANN.encode()).hexdigest()[:32]
    strange = [
        tmp_path / "clips" / "README",
        tmp_path / "clips" / owner / "notes.txt",
        tmp_path / "clips" / owner / ("A" * 64),
        tmp_path / "results" / owner / ("a" * 32),  # a file, where a folder would be
        tmp_path / "uploads" / "x",
    ]
    for path in strange:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        os.utime(path, (0, 0))
    folder = tmp_path / "clips" / owner / ("b" * 64)
    folder.mkdir()
    link = tmp_path / "clips" / owner / ("c" * 64)
    link.symlink_to(strange[0])
    os.utime(link, (0, 0), follow_symlinks=False)
    house.tidy()
    assert all(path.exists() for path in (*strange, folder, link))
    assert "Traceback" not in caplog.text


def test_no_mistake_is_the_last_look(house, monkeypatch, caplog):
    monkeypatch.setattr(housekeeping, "PAUSE_SECONDS", 0.01)
    keeping, look, looks = house.housekeeping(), Housekeeping.tidy, []

    async def mistaken(*arguments) -> None:
        looks.append(1)
        if len(looks) == 1:
            raise KeyError("what nobody expected")
        await look(keeping)

    async def run() -> None:
        monkeypatch.setattr(keeping, "tidy", mistaken)
        looking = asyncio.ensure_future(keeping.run())
        while old.exists() and not looking.done():
            await asyncio.sleep(0.01)
        looking.cancel()

    old = house.clip(ANN, 20)
    asyncio.run(run())
    assert not old.exists() and "what nobody expected" in caplog.text


def test_what_cannot_be_removed_does_not_stop_the_rest(house, caplog, monkeypatch):
    stuck, other = house.clip(ANN, 20), house.clip(BEN, 20)
    replace = os.replace

    def held_by_another_program(path, to) -> None:
        if path == stuck:
            raise PermissionError(13, "in use")
        replace(path, to)

    monkeypatch.setattr(os, "replace", held_by_another_program)
    house.tidy()
    assert stuck.exists() and not other.exists()
    assert "cannot be removed: in use" in caplog.text
