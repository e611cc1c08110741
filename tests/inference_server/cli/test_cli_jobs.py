"""``recam jobs``, ``recam cancel`` and ``recam doctor`` as a person reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from servers import until

from inference_server.cli import connecting, doctor
from shared.errors import RecamError


def test_jobs_are_listed_with_where_they_stand_and_cancelled(server, long_clip, tmp_path):
    assert server.run("jobs").stdout == "No jobs.\n"
    submit = ("submit", long_clip, "--camera", "pan_left", "--detach", "-o", tmp_path / "take.mp4")
    first, second = (server.run(*submit).stdout.strip() for _ in range(2))
    listed = until(
        lambda: re.search(r"rendering \d+ %.*", shown := server.run("jobs").stdout) and shown
    )
    newest, oldest = listed.splitlines()
    assert newest.startswith(second[:8] + " ") and "queued, 1 ahead" in newest
    assert oldest.startswith(first[:8] + " ") and oldest.endswith("  long.mp4")
    assert all(len(line) < 80 for line in (newest, oldest))
    newest, oldest = server.run("jobs", "--long").stdout.splitlines()
    assert newest.startswith(second) and oldest.startswith(first) and "projection" in oldest
    assert [job["job"] for job in json.loads(server.run("jobs", "--json").stdout)] == [
        second,
        first,
    ]
    for job in (first, second[:8]):
        assert server.run("cancel", job).stdout == "The job is cancelled.\n"
    assert server.run("jobs").stdout.count("cancelled") == 2


class Listing:
    """A client that has these jobs."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    def jobs(self) -> list[dict]:
        return [{"job": each} for each in self.ids]


def test_what_begins_an_id_is_enough_where_no_other_begins_so():
    first, second = "ab12" + "0" * 28, "ab34" + "0" * 28
    client = Listing(first, second)
    assert connecting.find_job(client, "ab3") == second
    assert connecting.find_job(Listing(), first) == first  # may be too old for the list
    with pytest.raises(RecamError, match="2 jobs of yours begin with ab") as caught:
        connecting.find_job(client, "ab")
    assert caught.value.code == "job_ambiguous"
    with pytest.raises(RecamError, match="no job ab5 of yours"):
        connecting.find_job(client, "ab5")


@pytest.mark.parametrize("job", ["0" * 32, "take-7", "../../etc"])
@pytest.mark.parametrize("command", ["cancel", "fetch"])
def test_a_job_that_is_not_there_is_said(shared_server, tmp_path, command, job):
    out = ("-o", tmp_path / "take.mp4") if command == "fetch" else ()
    done = shared_server.run(command, job, *out)
    assert done.returncode == 1
    assert job in done.stderr and "recam jobs" in done.stderr


def test_the_doctor_speaks_in_sentences(shared_server):
    done = shared_server.run("doctor")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.endswith((".", ".0")) for line in lines), lines
    said = done.stdout
    for words in (
        "Python 3.",
        "pyzmq",
        "The CPU has",
        "The engine projection can run",
        "recammaster",
        str(shared_server.config),
        str(shared_server.state),
        f"A server answers at {shared_server.address}",
        "`auto` would take",
    ):
        assert words in said, words


def test_the_doctor_says_what_is_missing(shared_server, tmp_path):
    away = shared_server.environment | {"RECAM_SERVER": "tcp://127.0.0.1:9"}
    done = shared_server.run("doctor", "--releases", tmp_path, env=away)
    assert done.returncode == 0
    assert "No Recam server has answered at tcp://127.0.0.1:9" in done.stdout
    assert f"There are no weights in {tmp_path}." in done.stdout
    assert "recammaster cannot run: it has no weights; `recam weights install`" in done.stdout
    (tmp_path / "ReCamMaster").mkdir()
    done = shared_server.run("doctor", "--releases", tmp_path, env=away)
    assert re.search(f"Missing from {re.escape(str(tmp_path))}.*safetensors", done.stdout)


def test_the_doctor_says_that_a_key_is_damaged(shared_server, tmp_path):
    (tmp_path / "client.key").write_text("damaged")
    done = shared_server.run(
        "doctor", env=shared_server.environment | {"RECAM_CONFIG": str(tmp_path)}
    )
    assert "client.key" in done.stdout and "damaged" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_doctor_says_that_a_drive_is_not_there(monkeypatch):
    with monkeypatch.context() as windows:
        windows.setattr(Path, "exists", lambda path: False)
        said = doctor._disk()
    assert said.endswith("on a drive that is not there.")


def test_a_server_is_found_by_variables_or_by_a_file_and_without_tcp(shared_server, tmp_path):
    bare = shared_server.address.removeprefix("tcp://")
    key = (shared_server.config / "server.pub").read_text().strip()
    # Another user, who knows this server, and whose own has another key.
    other = shared_server.environment | {"RECAM_CONFIG": str(tmp_path / "other")}
    refused = shared_server.run("jobs", env=other)
    assert "does not hold the server key" in refused.stderr
    assert "--server-key). Where none is given, that of your own server is taken" in refused.stderr
    for words, more in (
        ((), {"RECAM_SERVER": bare, "RECAM_SERVER_KEY": key}),
        ((), {"RECAM_SERVER": bare, "RECAM_SERVER_KEY": str(shared_server.config / "server.pub")}),
        (("--server-key", shared_server.config / "server.pub"), {"RECAM_SERVER": bare}),
        (("--server", bare, "--server-key", key), {}),
    ):
        done = shared_server.run("jobs", *words, env=other | more)
        assert "does not let this computer's key in" in done.stderr, (words, done)
        assert str(tmp_path / "other" / "client.pub") in done.stderr


def test_a_key_that_is_none_is_told_with_where_it_was_given(shared_server):
    bad = shared_server.environment | {"RECAM_SERVER_KEY": "no key"}
    for words, environment, where in (
        ((), bad, "RECAM_SERVER_KEY"),
        (("--server-key", "no key"), shared_server.environment, "--server-key"),
    ):
        done = shared_server.run("jobs", *words, env=environment)
        assert f"{where}: 'no key' is neither a public key" in done.stderr and not done.stdout


@pytest.mark.parametrize("address", ["tcp://:47981", "localhost", "http://a:80", "a:99999", "a:"])
def test_what_is_no_address_is_told_at_once(shared_server, address):
    for words, more in ((("--server", address), {}), ((), {"RECAM_SERVER": address})):
        done = shared_server.run("jobs", *words, env=shared_server.environment | more)
        assert done.returncode == 1 and "not the address of a server" in done.stderr
