"""``recam bundle``: it tells what support needs, and none of what is nobody else's business."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import zipfile

import pytest
from takes import SHORT, another_user, request

from inference_server.observing.bundle import contents, log_tail, state_listing
from inference_server.observing.logs import LogFile, folder
from inference_server.observing.scrub import Scrub
from shared.client.client import Client
from shared.errors import RecamError

WAIT = 60.0
CLIP, PROMPT = 'ep07 "secret" rooftop', "a heroine\nnobody may hear of"
NAMES = ("about", "doctor", "folders", "journal", "settings", "status", "versions")


def bundle(server, out, **environment) -> dict[str, str]:
    more = {"env": server.environment | environment} if environment else {}
    done = server.run("bundle", "--output", out, **more)
    assert done.returncode == 0, done.stderr
    assert "nothing is sent anywhere" in done.stdout
    with zipfile.ZipFile(out) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


@pytest.fixture
def worked(server, short_clip, tmp_path, monkeypatch):
    """A server that has made a take, has failed a job, and lets another client in."""
    with another_user(server, tmp_path / "jane-roe", monkeypatch):
        pass
    clip = shutil.copy(short_clip, tmp_path / "ep07.mp4")
    with Client(server.address, patience=30) as client:
        more = {"name": CLIP, "settings": {"prompt": PROMPT}, "engine": "projection"}
        client.shoot(request(SHORT, **more), [clip], tmp_path / "o.mp4").wait(WAIT)
        torn = tmp_path / "torn.mp4"
        torn.write_bytes(b"no video")
        client.shoot(request(SHORT, name=CLIP), [torn], tmp_path / "t.mp4").wait(WAIT)
    return server


def everything_secret(server, home) -> list[str]:
    keys = [file.read_text().strip() for file in server.config.rglob("*.*")]
    words = [CLIP, json.dumps(CLIP)[1:-1], PROMPT]
    return [*keys, *words, socket.gethostname(), str(home), "jdoe42", "jane-roe"]


def test_it_tells_what_is_needed_and_nothing_else(worked, tmp_path):
    home = tmp_path / "home/jdoe42"
    home.mkdir(parents=True)
    # As if a fault had written what should never be there.
    stray = logging.getLogger("stray")
    file = LogFile(folder(worked.state) / "recam.log")
    for secret in everything_secret(worked, home):
        file.handle(stray.makeRecord("stray", 20, "", 0, "a stray %s here", (secret,), None))
    file.close()

    environment = {"HOME": str(home), "USERPROFILE": str(home), "LOGNAME": "jdoe42"}
    found = bundle(worked, tmp_path / "up.zip", **environment)
    worked.stop()
    alone = bundle(worked, tmp_path / "down.zip", **environment)
    for texts in (found, alone):
        assert set(texts) == {*(name for name in texts if name.startswith("log/"))} | {
            f"{name}.{'txt' if name in ('about', 'doctor', 'folders') else 'json'}"
            for name in NAMES
        }
        assert "log/recam.log" in texts
        for name, text in texts.items():
            for secret in everything_secret(worked, home):
                assert secret not in text, (name, secret)
            assert "secret" not in text and "nobody may hear" not in text
        assert texts["log/recam.log"].count("a stray ") == len(everything_secret(worked, home))
        versions = json.loads(texts["versions.json"])
        assert versions["recam"] and versions["packages"]["pyzmq"] != "missing"
        assert "The engine projection can run" in texts["doctor.txt"]
        assert "job finished" in texts["log/recam.log"]
        assert "clients/*.pub" in texts["folders.txt"]

    figures = json.loads(alone["journal.json"])
    assert figures["stages"] == {"finished": 1, "failed": 1}
    assert figures["error_codes"] == {"clip_unreadable": 1}
    assert figures["seconds"]["projection"]["jobs"] == 1
    assert json.loads(found["journal.json"]) == figures
    assert json.loads(found["status.json"])["ended"] == {"finished": 1, "failed": 1}
    assert "No Recam server has answered" in alone["status.json"]


def test_nothing_is_overwritten(server, tmp_path):
    there = tmp_path / "there.zip"
    there.write_text("mine")
    done = server.run("bundle", "--output", there)
    assert done.returncode == 1 and "cannot be written" in done.stderr
    assert there.read_text() == "mine"


def test_of_addresses_and_folders_only_what_is_recams_is_told(tmp_path):
    (tmp_path / "a film nobody knows of").mkdir()
    (tmp_path / "journal.sqlite").touch()
    found = "\n".join(state_listing(tmp_path))
    assert "journal.sqlite" in found and "film" not in found
    text = Scrub()("at tcp://10.1.2.3:47811 and tcp://[fd00::2]:1, tcp://127.0.0.1:2 tcp://[::1]:3")
    assert text == "at tcp://(address):47811 and tcp://(address):1, tcp://127.0.0.1:2 tcp://[::1]:3"


def test_what_cannot_be_found_out_is_said(tmp_path):
    def status() -> dict:
        raise RecamError("server_unreachable", "Nobody answers.", "Start it.")

    state = tmp_path / "state"
    found = dict(contents(state, tmp_path, lambda: ["All is well."], status, Scrub()))
    assert found["status.json"] == "This could not be found out: Nobody answers. Start it.\n"
    assert found["doctor.txt"] == "All is well.\n"
    assert "There is no state folder." in found["folders.txt"]
    assert not state.exists()


def test_of_long_logs_the_end_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("inference_server.observing.bundle.LOG_BYTES", 25)
    folder(tmp_path).mkdir()
    (folder(tmp_path) / "recam.log.1").write_text("aaaaaaaa\nbbbbbbbb\ncccccccc\n")
    (folder(tmp_path) / "recam.log").write_text("dddddddd\n")
    assert dict(log_tail(tmp_path)) == {"recam.log": "dddddddd\n", "recam.log.1": "cccccccc\n"}
