"""Who is let in, who is not, who no longer; and that nobody learns of another's jobs and clips."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
import shutil

import pytest
import zmq
from plain_client import PlainClient
from servers import Server, recam, until
from test_front_protocol import job_body, shot

from inference_server.front.journal.job_events import short_owner
from inference_server.front.network import door as doors
from inference_server.front.network.clients import allow, revoke
from inference_server.front.network.door import HANDSHAKES_A_MINUTE, Door, is_loopback
from shared.protocol.keys import client_keys


@pytest.fixture
def person(shared_server, tmp_path):
    """Makes other people: clients with keys of their own, listed or not."""
    made = []

    def make(name: str, listed: bool = True, wait: bool = True) -> PlainClient:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(shared_server.config / "server.pub", folder)
        client_keys(folder)
        if listed:
            said = shared_server.run("keys", "allow", name, folder / "client.pub")
            assert said.returncode == 0, said.stderr
        made.append(PlainClient(shared_server.address, folder))
        if wait:
            assert made[-1].ask("hello", {"protocol": 1, "client": name})[0] == "welcome"
        return made[-1]

    yield make
    for client in made:
        client.close()
    shutil.rmtree(shared_server.config / "clients", ignore_errors=True)


@pytest.fixture
def owner(shared_server):
    client = PlainClient(shared_server.address, shared_server.config)
    yield client
    client.close()


def test_an_unlisted_key_is_told_nothing_and_logged_once(shared_server, person, tmp_path):
    eve = person("eve", listed=False, wait=False)
    for _ in range(3):
        eve.send("server.info", {})
        assert not eve.socket.poll(300)
        eve.socket.disconnect(shared_server.address)
        eve.socket.connect(shared_server.address)
    keys = client_keys(tmp_path / "eve")
    key = keys.public.decode()
    log = until(lambda: (text := shared_server.log.read_text()) and key[:8] in text and text)
    assert log.count(key[:8]) == 1 and key not in log
    assert keys.secret.decode() not in log


def test_a_revoked_key_gets_nothing_more_on_a_connection_that_lasts(
    shared_server, person, long_clip, tmp_path
):
    bob = person("bob")
    clip = bob.upload(long_clip.read_bytes(), secrets.token_hex(16))
    bodies = [job_body([clip]) for _ in range(2)]
    for body in bodies:
        assert bob.ask("job.submit", body, shot(250))[0] == "job.accepted"
    until(lambda: bob.next_event()["stage"] == "rendering")
    (shared_server.config / "clients" / "eve.pub").write_text("damaged")  # and no matter

    said = shared_server.run("keys", "revoke", "bob")
    assert said.returncode == 0 and "cancelled" in said.stdout
    bob.send("job.list", {})
    while (told := bob.receive()[0])["type"] == "job.state":
        assert told["body"]["stage"] in ("queued", "rendering")  # of before
    assert (told["type"], told["body"]["code"], told["re"]) == ("error", "key_revoked", None)
    for kind, body in (("server.info", {}), ("job.cancel", {"job": bodies[0]["job"]})):
        bob.send(kind, body)
        assert bob.receive()[0]["body"]["code"] == "key_revoked"
    assert not bob.socket.poll(1000)  # nor an event of the job that was at work

    public = client_keys(tmp_path / "bob").public.decode()
    assert shared_server.run("keys", "allow", "bob", public).returncode == 0
    listed = until(lambda: all_over(bob.ask("job.list", {})[1]["jobs"]))
    assert [each["stage"] for each in listed] == ["cancelled"] * 2
    assert bob.ask("blob.have", {"sha256": clip})[0] == "blob.held"


def all_over(jobs: list[dict]) -> list[dict] | None:
    return jobs if all(each["ended"] for each in jobs) else None


def test_nobody_learns_of_anothers_jobs_and_clips(owner, person, short_clip):
    content = short_clip.read_bytes()
    clip = owner.upload(content, upload := secrets.token_hex(16))
    job = job_body([clip])
    assert owner.ask("job.submit", job, shot())[0] == "job.accepted"
    half = secrets.token_hex(16)
    owner.ask("blob.put", {"upload": half, "size": len(content), "sha256": None})

    dora, never = person("dora"), secrets.token_hex(16)
    assert dora.ask("job.list", {})[1] == {"jobs": []}
    for kind, more in (
        ("job.attach", {}),
        ("job.cancel", {}),
        ("job.picture", {}),
        ("result.get", {"take": 0, "offset": 0}),
        ("result.delivered", {}),
    ):
        theirs, none = (dora.ask(kind, {"job": each} | more)[1] for each in (job["job"], never))
        assert theirs["code"] == none["code"] == "no_such_job"
        assert theirs["sentence"].replace(job["job"], never) == none["sentence"]
    unheard = hashlib.sha256(never.encode()).hexdigest()
    for digest in (clip, unheard):
        assert dora.ask("blob.have", {"sha256": digest})[0] == "blob.missing"
        start = {"upload": secrets.token_hex(16), "size": 9, "sha256": digest}
        assert dora.ask("blob.put", start)[0] == "blob.go"
        refused = dora.ask("job.submit", job_body([digest]), shot())[1]
        assert refused["code"] == "clip_gone" and digest not in refused["sentence"]
    for each in (upload, half):  # an upload's id is another's too
        body = {"upload": each, "offset": 0, "sha256": unheard}
        assert dora.ask("blob.chunk", body, b"x")[1]["code"] == "upload_chunk"
        assert dora.ask("blob.end", {"upload": each, "sha256": clip})[0] == "error"
    # The id of another's job is free for a job of one's own.
    dora.upload(content, secrets.token_hex(16))
    assert dora.ask("job.submit", job, shot())[0] == "job.accepted"
    assert len(dora.ask("job.list", {})[1]["jobs"]) == 1
    until(lambda: owner.ask("job.attach", {"job": job["job"]})[1]["stage"] == "finished")
    assert dora.ask("job.attach", {"job": job["job"]})[1]["job"] == job["job"]


def test_a_connection_may_not_choose_its_routing_id(shared_server, owner):
    """Else whoever takes it over would hear of the jobs of whoever had it before."""
    chosen = zmq.Context.instance().socket(zmq.DEALER)
    chosen.linger, chosen.routing_id = 0, b"anna"
    keys = client_keys(shared_server.config)
    chosen.curve_publickey, chosen.curve_secretkey = keys.public, keys.secret
    chosen.curve_serverkey = (shared_server.config / "server.pub").read_bytes().strip()
    chosen.connect(shared_server.address)
    owner.socket.close()
    owner.socket = chosen
    owner.send("job.list", {})
    header, _ = owner.receive()
    assert header["body"]["code"] == "bad_message" and "routing id" in header["body"]["sentence"]


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def key(folder) -> str:
    return client_keys(folder).public.decode()


def test_the_door_opens_and_shuts_as_the_folder_says(config, tmp_path, caplog):
    caplog.set_level("INFO")
    gone = []
    door = Door(lambda: gone.append(True))
    mine, anna = client_keys().public.decode(), key(tmp_path / "anna")
    assert door.lets_in(mine) and not door.lets_in(anna)
    allow("anna", anna.encode())
    assert door.lets_in(anna) and door.callback("*", anna.encode())
    assert not gone
    revoke(anna)
    assert not door.lets_in(anna) and not door.callback("*", anna.encode())
    assert door.lets_in(mine) and gone == [True]
    assert door.revoked(anna) and not door.revoked(mine)
    (said,) = [record for record in caplog.records if "no longer" in record.message]
    assert said.fields == {"client": "anna", "owner": short_owner(anna)}


def test_a_damaged_file_takes_nobodys_leave_away_and_gives_none(config, tmp_path, caplog):
    door = Door()
    anna, ben = key(tmp_path / "anna"), key(tmp_path / "ben")
    allow("anna", anna.encode())
    allow("ben", ben.encode())
    assert door.lets_in(anna) and door.lets_in(ben)
    (config / "clients" / "anna.pub").write_text("damaged")
    (config / "clients" / "eve.pub").write_text("damaged")
    assert door.lets_in(anna) and door.lets_in(ben)
    revoke("ben")
    assert door.revoked(ben) and not door.revoked(anna)
    assert "anna.pub" in caplog.text and "eve.pub" in caplog.text
    told = []
    again = Door(lambda: told.append(True))  # which has never seen anna's key, nor ben's
    assert not again.lets_in(anna) and not again.revoked(anna) and not again.revoked(ben)
    (config / "clients" / "anna.pub").write_text(anna)
    (config / "clients" / "eve.pub").unlink()
    assert again.lets_in(anna) and again.revoked(ben) and told == [True]
    allow("ben", ben.encode())
    assert door.lets_in(ben) and not door.revoked(ben) and not again.revoked(ben)


def test_where_the_users_own_key_is_damaged_nobody_new_comes_in(config, tmp_path):
    door = Door()
    mine, anna = client_keys().public.decode(), key(tmp_path / "anna")
    allow("anna", anna.encode())
    assert door.lets_in(anna)
    kept = (config / "client.key").read_bytes()
    (config / "client.key").write_text("damaged")
    assert not door.callback("*", anna.encode()) and not door.revoked(key(tmp_path / "ben"))
    assert door.lets_in(anna) and door.lets_in(mine)  # those who are there stay
    (config / "client.key").write_bytes(kept)
    assert door.callback("*", anna.encode())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_folders_of_keys_that_others_could_write_to_are_mended_and_said(config, tmp_path, caplog):
    allow("anna", client_keys(tmp_path / "anna").public)
    for folder in (config, config / "clients"):
        folder.chmod(0o777)
    Door().say_who("tcp://127.0.0.1:1")
    assert [folder.stat().st_mode & 0o777 for folder in (config, config / "clients")] == [0o755] * 2
    assert len(caplog.messages) == 2 and "others could write" in caplog.text


def test_a_folder_that_cannot_be_looked_through_takes_nobodys_leave_away(
    config, tmp_path, monkeypatch
):
    anna, gone = client_keys(tmp_path / "anna").public, []
    allow("anna", anna)
    door = Door(lambda: gone.append(True))
    assert door.lets_in(anna.decode())

    def too_many_files(folder):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "listdir", too_many_files)
    monkeypatch.setattr(os, "scandir", too_many_files)
    door._look(anew=True)
    assert door.lets_in(anna.decode()) and not door.revoked(anna.decode()) and not gone


def test_a_mistake_in_what_follows_a_look_does_not_make_it_the_last(config, tmp_path, monkeypatch):
    monkeypatch.setattr(doors, "LOOK_SECONDS", 0.01)
    followed = []

    def follow():
        followed.append(True)
        raise KeyError("x")

    door, names = Door(follow), ("anna", "ben")
    for name in names:
        allow(name, client_keys(tmp_path / name).public)
    assert door.lets_in(key(tmp_path / "ben"))

    async def revoke_both() -> None:
        watching = asyncio.ensure_future(door.watch())
        for count, name in enumerate(names, 1):
            revoke(name)
            while len(followed) < count:
                await asyncio.sleep(0.01)
        watching.cancel()

    asyncio.run(asyncio.wait_for(revoke_both(), 10))


def test_a_key_that_connects_again_and_again_waits_and_keeps_nobody_else_out(config, tmp_path):
    anna, ben = (client_keys(tmp_path / name).public for name in ("anna", "ben"))
    allow("anna", anna)
    allow("ben", ben)
    door = Door()
    let_in = [door.callback("*", anna) for _ in range(HANDSHAKES_A_MINUTE + 1)]
    assert all(let_in[:-1]) and not let_in[-1]
    assert door.callback("*", ben) and door.lets_in(anna.decode())


def test_endless_strangers_do_not_fill_the_log(config, caplog):
    door = Door()
    for _ in range(100):
        for _ in range(2):
            door.callback("*", zmq.curve_keypair()[0])
    assert len(caplog.messages) <= 21


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("tcp://127.0.0.1:47811", True),
        ("tcp://[::1]:47811", True),
        ("tcp://localhost:1", True),
        ("tcp://0.0.0.0:47811", False),
        ("tcp://[::]:47811", False),
        ("tcp://10.0.0.2:1", False),
        ("tcp://example.org:1", False),
    ],
)
def test_what_is_this_machine_alone(address, here):
    assert is_loopback(address) is here


def test_beyond_this_machine_only_if_asked_for_and_then_it_is_said_who_comes_in(
    tmp_path, monkeypatch
):
    server = Server(tmp_path / "server")
    monkeypatch.setenv("RECAM_CONFIG", str(server.config))
    allow("anna", client_keys(tmp_path / "anna").public)
    server.start()
    try:
        assert server.address.startswith("tcp://127.0.0.1:")
    finally:
        server.stop()
    assert "beyond this machine" not in server.log.read_text()

    def recam_beyond(*arguments):
        return [*recam(*arguments), "--host", "0.0.0.0"]

    monkeypatch.setattr("servers.recam", recam_beyond)
    server.start()
    try:
        log = until(lambda: (text := server.log.read_text()) and "beyond this" in text and text)
    finally:
        server.stop()
    assert "anna" in log and client_keys(tmp_path / "anna").secret.decode() not in log
