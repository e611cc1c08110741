"""``recam keys``: made for another's machine, sent by them, listed, revoked, used."""

from __future__ import annotations

import os
import stat

import pytest
import zmq

from inference_server.cli import main
from inference_server.front.journal.job_events import short_owner
from shared.protocol.keys import client_keys, server_keys


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config"


def keys(capsys, *arguments, status: int = 0) -> str:
    """What ``recam keys …`` prints."""
    assert main(["keys", *map(str, arguments)]) == status
    said = capsys.readouterr()
    return said.err if status else said.out


def test_a_key_is_made_handed_over_used_listed_and_revoked(config, tmp_path, capsys, monkeypatch):
    said = keys(capsys, "make", "anna")
    file = tmp_path / "anna.key"
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_bytes().strip()
    assert secret.decode() not in said and "anna.key" in said
    assert server_keys().public.decode() in said
    public = zmq.curve_public(secret).decode()
    mine = client_keys().public.decode()
    assert f"RECAM_SERVER_KEY='{server_keys().public.decode()}'" in said
    first, second, about, server = keys(capsys).splitlines()
    assert short_owner(public) in second and "log" in about
    assert "yours" in first and mine in first
    assert second.startswith("anna") and public in second and "since 2" in second
    assert server_keys().public.decode() in server
    assert keys(capsys, "list").splitlines() == [first, second, about, server]

    with monkeypatch.context() as there:
        there.setenv("RECAM_CONFIG", str(tmp_path / "annas"))
        own = client_keys().public.decode()
        said = keys(capsys, "use", file)
        assert public in said and client_keys().public.decode() == public
        (kept,) = (tmp_path / "annas").glob("client-until-*.key")
        assert kept.name in said and zmq.curve_public(kept.read_bytes().strip()).decode() == own

    assert "cancelled" in keys(capsys, "revoke", public)
    assert public not in keys(capsys)


def test_a_key_that_was_sent_is_listed_by_line_or_file(config, tmp_path, capsys):
    for name in ("anna", "ben"):
        client_keys(tmp_path / name)
    line = (tmp_path / "anna" / "client.pub").read_text()
    assert "anna" in keys(capsys, "allow", "anna", line)
    assert "ben" in keys(capsys, "allow", "ben", tmp_path / "ben" / "client.pub")
    assert line.strip() in keys(capsys)
    assert keys(capsys, "revoke", "ben") and "ben" not in keys(capsys)


def test_what_makes_no_sense_is_refused_in_words_and_changes_nothing(config, tmp_path, capsys):
    anna = client_keys(tmp_path / "anna").public.decode()
    keys(capsys, "allow", "Anna", anna)
    before = keys(capsys)
    other = client_keys(tmp_path / "other").public.decode()
    for arguments, says in (
        (("allow", "anna", other), "already"),  # the same to some disks
        (("allow", "ben", anna), "listed already, as Anna"),
        (("allow", "me", client_keys().public.decode()), "your own"),
        (("allow", "ben", "no key"), "neither"),
        (("allow", "ben", tmp_path / "anna" / "client.key"), "secret half"),
        (("allow", "ben", tmp_path), "neither"),
        (("revoke", "ben"), "No client"),
        (("revoke", client_keys().public.decode()), f"client.pub in {config}: both"),
        (("make", "Anna"), "already"),
        (("make", "eve", "-o", tmp_path / "anna" / "client.key"), "exists"),
        (("make", "eve", "-o", tmp_path / "nowhere" / "eve.key"), "cannot be written"),
        (("use", tmp_path / "nowhere"), "cannot be read"),
    ):
        assert says in keys(capsys, *arguments, status=1), arguments
    assert keys(capsys) == before
    assert not (tmp_path / "Anna.key").exists() and not (tmp_path / "eve.key").exists()


NO_NAMES = ("", "../anna", "a/b", "a\\b", "a:b", ".anna", "anna.", "a b", "a\n", "ä", "x" * 65, "*")
WINDOWS_OWN = ("con", "NUL.x", "com1", "Lpt9.pub")


@pytest.mark.parametrize("name", [*NO_NAMES, *WINDOWS_OWN])
def test_a_name_that_would_be_no_file_everywhere_is_refused(config, tmp_path, capsys, name):
    assert "cannot be the name" in keys(capsys, "make", name, status=1)
    assert not [*tmp_path.glob("*.key")] and not (config / "clients").exists()


def test_a_damaged_file_is_listed_as_damaged_and_can_be_revoked(config, capsys):
    (config / "clients").mkdir(parents=True)
    (config / "clients" / "anna.pub").write_bytes(b"\x80\x04N.")
    assert "damaged" in keys(capsys)
    assert keys(capsys, "revoke", "anna")
    assert "anna" not in keys(capsys)


def test_a_key_that_lies_there_under_two_names_is_revoked_under_both(config, tmp_path, capsys):
    anna = client_keys(tmp_path / "anna").public
    keys(capsys, "allow", "anna", anna.decode())
    (config / "clients" / "copy.pub").write_bytes(anna)  # by hand
    (config / "clients" / "torn.pub").write_bytes(b"")
    assert "No client" in keys(capsys, "revoke", "", status=1)
    keys(capsys, "revoke", "anna")
    assert anna.decode() not in keys(capsys)
    assert [file.name for file in (config / "clients").iterdir()] == ["torn.pub"]


def test_where_no_server_has_run_none_gets_a_key(config, capsys):
    assert "No server of yours" in keys(capsys)
    assert not [*config.glob("server.*")]


def test_the_words_to_hand_over_tell_the_address_that_was_given(config, tmp_path, capsys):
    said = keys(capsys, "make", "anna", "--server", "studio:4000", "-o", tmp_path / "a b.key")
    assert "RECAM_SERVER=tcp://studio:4000\n" in said and "keys use 'a b.key'" in said
    assert "--host" not in said
    assert "not the address" in keys(capsys, "make", "ben", "--server", "studio", status=1)
