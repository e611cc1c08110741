"""The log's parts by themselves: bounds, torn lines, a terminal that nobody reads."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

from inference_server.observing import logs
from inference_server.observing.allowance import Allowance

ROOT = Path(__file__).resolve().parents[3]


def record(message: str, **more) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "test", "levelname": "INFO", "msg": message, **more})


def test_the_files_are_bounded_in_size_and_number(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FILE_BYTES", 2_000)
    logs.folder(tmp_path).mkdir()
    file = logs.LogFile(logs.folder(tmp_path) / "recam.log")
    for number in range(200):
        file.handle(record(f"number {number}"))
    file.close()
    found = logs.files(tmp_path)
    assert len(found) == len(list(logs.folder(tmp_path).iterdir())) == logs.OLDER_FILES + 1
    assert all(each.stat().st_size <= 2_000 for each in found)
    lines = [json.loads(line) for each in found for line in each.read_text().splitlines()]
    numbers = [int(line["message"].split()[1]) for line in lines]
    assert numbers == list(range(numbers[0], 200))  # oldest first, none lost but the oldest


def test_a_line_that_was_torn_spoils_no_other(tmp_path):
    path = tmp_path / "recam.log"
    path.write_text('{"time": "2026-')
    file = logs.LogFile(path)
    file.handle(record("whole"))
    file.close()
    assert json.loads(path.read_text().splitlines()[-1])["message"] == "whole"


def test_what_is_logged_stays_one_line_whatever_is_in_it(tmp_path):
    line = logs.Json().format(record("two\nlines \u2028 \ud800", fields={"job": "1"}))
    assert len(line.split("\n")) == 1
    assert json.loads(line)["job"] == "1"


def test_a_job_that_the_words_name_is_told_as_such():
    job = "6f1ed002ab5595859014ebf0951522d9"
    assert logs.as_dict(record("job %s is over", args=(job,)))["job"] == job
    assert "job" not in logs.as_dict(record("jobs are over"))


def test_what_repeats_itself_is_left_out_and_counted():
    clock = [0.0]
    allowance = Allowance(3, lambda: clock[0])
    assert [allowance.take() for _ in range(5)] == [0, 0, 0, None, None]
    assert allowance.spent
    clock[0] = 61.0
    assert [allowance.take() for _ in range(2)] == [2, 0]


def test_records_alike_are_bounded_but_not_those_of_jobs(tmp_path):
    log = logs.ServerLog(quiet=True)
    log.to_file(tmp_path)
    for number in range(1000):
        log.handle(record("knock, knock"))
        log.handle(record("job accepted", fields={"job": str(number)}))
    log.close()
    lines = logs.files(tmp_path)[0].read_text().splitlines()
    assert sum("knock" in line for line in lines) == logs.ALIKE_A_MINUTE
    assert sum("job accepted" in line for line in lines) == 1000


def test_a_terminal_that_nobody_reads_holds_nothing_up(tmp_path):
    """Its pipe is full long before the end."""
    code = f"""
import logging, pathlib
from inference_server.observing import logs
log = logs.start()
log.to_file(pathlib.Path({str(tmp_path)!r}))
for number in range(5000):
    logs.event(logging.getLogger("test"), "job accepted", job=number, much="x" * 200)
log.close()
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE)
    assert process.wait(60) == 0
    process.stderr.close()
    assert len(logs.files(tmp_path)[0].read_text().splitlines()) == 5000


def test_a_fault_in_a_thread_is_in_the_log(tmp_path):
    code = f"""
import logging, pathlib, threading
from inference_server.observing import logs
log = logs.start(quiet=True)
log.to_file(pathlib.Path({str(tmp_path)!r}))
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
log.close()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    (line,) = logs.files(tmp_path)[0].read_text().splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]
    assert not done.stderr


def test_what_a_library_quotes_neither_steers_a_terminal_nor_looks_like_a_record():
    quoted = record(
        "clip \x1b]0;me\x07 \x9b2J\n2026-01-01 front INFO job finished", fields={"a": "\n"}
    )
    line = logs.Lines().format(quoted)
    assert len(line.splitlines()) == 1 and not {"\x1b", "\x07", "\x9b"} & set(line)
    assert "\x9b" not in logs.Json().format(quoted)
