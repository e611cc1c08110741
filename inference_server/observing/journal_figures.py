"""What a journal tells of its jobs in figures, read without the server that keeps it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

OPEN_SECONDS = 0.2  # to wait for whoever has it
MOST_COPIED = 1 << 30  # bytes
MOST_JOBS = 1000  # whose words are looked for: none should be anywhere, to begin with


def figures(file: Path) -> dict:
    """Counts of stages and error codes, and how long jobs took; no names, no shots.

    Raises sqlite3.Error and OSError.
    """
    with _opened(file) as database:
        stages, codes = Counter(), Counter()
        took: dict[str, list[float]] = {}
        again = 0
        query = "SELECT stage, engine, attempts, error, result FROM jobs"
        for stage, engine, attempts, error, result in database.execute(query):
            stages[stage] += 1
            again += attempts > 1
            if error:
                codes[json.loads(error)["code"]] += 1
            if result:
                took.setdefault(engine, []).append(json.loads(result)["seconds"])
    return {
        "jobs": stages.total(),
        "stages": dict(stages),
        "error_codes": dict(codes),
        "tried_more_than_once": again,
        "seconds": {
            engine: {
                "jobs": len(each),
                "median": round(median(each), 3),
                "longest": round(max(each), 3),
            }
            for engine, each in took.items()
        },
    }


def artists_words(file: Path) -> Iterator[str]:
    """What artists called their clips and wrote as prompts: to be kept out of everything.

    Raises sqlite3.Error and OSError.
    """
    with _opened(file) as database:
        for (body,) in database.execute(
            f"SELECT body FROM jobs ORDER BY number DESC LIMIT {MOST_JOBS}"
        ):
            asked = json.loads(body)
            if not asked["parts"]:  # deleted on delivery, its words too
                continue
            yield asked["name"]
            yield Path(asked["name"]).stem
            for name, said in asked["settings"].items():
                if "prompt" in name and isinstance(said, str):
                    yield said


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The journal, or a copy of it where a server has it to itself."""
    with TemporaryDirectory() as folder:
        with closing(_connect(file)) as database:
            if _readable(database):
                yield database
                return
        if file.stat().st_size > MOST_COPIED:
            raise sqlite3.OperationalError("it is in use, and too large to be copied")
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(f"{file}{suffix}", Path(folder, f"journal{suffix}"))
        with closing(_connect(Path(folder, "journal"))) as database:
            yield database


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=OPEN_SECONDS)


def _readable(database: sqlite3.Connection) -> bool:
    try:
        database.execute("SELECT 1 FROM jobs LIMIT 1")
    except sqlite3.OperationalError:
        return False
    return True
