"""Jobs whose shots are read for a while before they are accepted: meanwhile nobody else waits."""

from __future__ import annotations

import secrets
import sys

import pytest
import servers
from servers import until
from test_front_limits import plain_client
from test_front_protocol import job_body, shot

# No shot is read before the file "go" lies in the state folder, and one message worked on at once
# is the most, but for those that are let go of.
HELD = """
import sys, time
from shared.folders import state_folder
from inference_server.front.jobs import shots
from inference_server.front.limits import Limits
from inference_server.cli import main, serve

read = shots._read


def held(body, file):
    while not (state_folder() / "go").exists():
        time.sleep(0.01)
    return read(body, file)


shots._read = held
serve._limits = lambda options: Limits(at_work=1)
sys.exit(main())
"""


@pytest.fixture
def held_server(tmp_path, monkeypatch):
    made = servers.Server(tmp_path / "server")
    command = [sys.executable, "-c", HELD]
    monkeypatch.setattr(servers, "recam", lambda *words: [*command, *map(str, words)])
    yield made.start()
    (made.state / "go").touch()
    made.stop()


class Sender:
    """A client with a clip and a long shot on the server."""

    def __init__(self, server, short_clip, name: str = "") -> None:
        self.client = plain_client(server, name)
        self._clip = self.client.upload(short_clip.read_bytes(), secrets.token_hex(16))
        self._shot = self.client.upload(shot(20_000), secrets.token_hex(16))

    def send(self, **changes) -> tuple[str, int]:
        """A job of that shot; its id, and the number of the message."""
        body = job_body([self._clip], shot=self._shot, **changes)
        return body["job"], self.client.send("job.submit", body)

    def answers(self, numbers) -> dict[int, dict]:
        """Of the messages of those numbers, their headers."""
        found = {}
        while len(found) < len(numbers):
            header, _ = self.client.receive()
            if header["re"] in numbers:
                found[header["re"]] = header
        return found

    def accepted(self, job: str) -> float:
        """When; once it is."""
        return until(lambda: self.client.ask("job.attach", {"job": job})[1].get("accepted"))


def test_one_clients_long_shots_keep_nobody_else_waiting(held_server, short_clip):
    ann, ben = Sender(held_server, short_clip), Sender(held_server, short_clip, "ben")
    sent = [ann.send() for _ in range(4)]
    wrong, beyond = ann.send(settings={"no_such": 1})[1], ann.send()[1]
    refused = ann.answers([wrong, beyond])
    assert refused[wrong]["body"]["code"] == "setting"
    assert refused[beyond]["body"]["code"] == "client_limit"
    bens = ben.send()
    assert ben.client.ask("server.info", {})[0] == "server.info"
    (held_server.state / "go").touch()
    told = ann.answers([number for _, number in sent])
    assert {header["type"] for header in told.values()} == {"job.accepted"}
    anns = [ann.accepted(job) for job, _ in sent]
    assert anns == sorted(anns) and anns[0] < ben.accepted(bens[0]) < anns[1]
    assert len([*held_server.state.glob("clips/*/*")]) == 2  # both clips, and no shot
    ann.client.close()
    ben.client.close()


def test_a_cancel_right_behind_a_long_shot_ends_its_job(held_server, short_clip):
    ann = Sender(held_server, short_clip)
    ann.send()
    job, number = ann.send()
    cancel = ann.client.send("job.cancel", {"job": job})
    unknown = ann.client.ask("job.cancel", {"job": secrets.token_hex(16)})
    assert unknown[1]["code"] == "no_such_job"
    (held_server.state / "go").touch()
    told = ann.answers([number, cancel])
    assert told[number]["type"] == "job.accepted"
    assert told[cancel]["body"]["stage"] == "cancelled"
    assert f"job started (job {job}" not in held_server.log.read_text()
    bad = ann.client.upload(b"no shot", secrets.token_hex(16))
    (held_server.state / "go").unlink()
    body = job_body([bad], shot=bad)
    submit = ann.client.send("job.submit", body)
    cancel = ann.client.send("job.cancel", {"job": body["job"]})
    (held_server.state / "go").touch()
    told = ann.answers([submit, cancel])
    assert [told[each]["body"]["code"] for each in (submit, cancel)] == [
        "bad_message",
        "no_such_job",
    ]
    ann.client.close()


def test_one_who_is_revoked_while_a_long_shot_is_read_has_no_job_of_it(held_server, short_clip):
    ben = Sender(held_server, short_clip, "ben")
    job, number = ben.send()
    ben.client.ask("server.info", {})  # behind it: the shot is being read
    assert held_server.run("keys", "revoke", "ben").returncode == 0
    until(lambda: "no longer let in" in held_server.log.read_text())
    (held_server.state / "go").touch()
    while (told := ben.client.receive()[0])["re"] != number:
        pass
    assert told["body"]["code"] == "key_revoked"
    until(lambda: "is cancelled: its owner" in held_server.log.read_text())
    log = held_server.log.read_text()
    assert f"job started (job {job}" not in log
    ben.client.close()
