"""Keys: made once, their owner's alone, the same for whoever asks, refused when damaged."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import zmq

from shared.errors import RecamError
from shared.protocol.keys import check_public_key, client_keys, new_pair, server_keys, use_key

ROOT = Path(__file__).resolve().parents[3]


def test_a_pair_is_made_on_first_use_and_stays(tmp_path):
    folder = tmp_path / "not" / "yet"
    first = client_keys(folder)
    assert client_keys(folder) == first
    assert zmq.curve_public(first.secret) == first.public
    assert first.public == (folder / "client.pub").read_bytes().strip()
    assert first.public != server_keys(folder).public


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_secret_is_readable_by_its_owner_alone(tmp_path):
    folder = tmp_path / "config"
    old = os.umask(0)
    try:
        client_keys(folder)
    finally:
        os.umask(old)
    assert stat.S_IMODE((folder / "client.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_public_key_looks_like_an_option(monkeypatch):
    pairs = iter([(b"-" + bytes(39), b"first"), (b"a" * 40, b"second")])
    monkeypatch.setattr(zmq, "curve_keypair", lambda: next(pairs))
    assert new_pair().secret == b"second"


def test_the_folder_of_the_environment_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    assert client_keys() == client_keys(tmp_path)


def test_processes_that_make_keys_at_once_get_the_same(tmp_path):
    script = (
        "import sys, pathlib; from shared.protocol.keys import client_keys; sys.stdin.readline();"
        "print(client_keys(pathlib.Path(sys.argv[1])).secret.decode())"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "config")]
    processes = [
        subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=ROOT) for _ in range(6)
    ]
    for process in processes:  # all have started up when the first is let go
        process.stdin.write("go\n")
        process.stdin.flush()
    secrets = {process.communicate()[0] for process in processes}
    assert len(secrets) == 1
    assert sorted(file.name for file in (tmp_path / "config").iterdir()) == [
        "client.key",
        "client.pub",
    ]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 41, b"\x80\x04N.", b"#" * 40])
def test_a_damaged_key_is_named_with_what_to_do(tmp_path, content):
    client_keys(tmp_path)
    (tmp_path / "client.key").write_bytes(content)
    with pytest.raises(RecamError) as caught:
        client_keys(tmp_path)
    assert caught.value.code == "key_format"
    assert str(tmp_path / "client.key") in caught.value.sentence
    assert "Delete" in caught.value.hint


def test_a_key_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "client.key").mkdir()
    with pytest.raises(RecamError, match=r"client\.key") as caught:
        client_keys(tmp_path)
    assert caught.value.code == "key_unreadable"


def test_the_secret_does_not_show(tmp_path):
    pair = client_keys(tmp_path)
    assert pair.secret.decode() not in f"{pair} {pair!r}"
    assert pair.public.decode() in repr(pair)


def test_a_public_key_from_a_person_is_checked(tmp_path):
    key = server_keys(tmp_path).public
    assert check_public_key(f"  {key.decode()}\n") == key
    for wrong in ("", "hello", key.decode()[:-1], "ä" * 40, "#" * 40):
        with pytest.raises(RecamError) as caught:
            check_public_key(wrong)
        assert caught.value.code == "key_format"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_secret_that_others_can_read_is_mended_and_said(tmp_path, caplog):
    pair = client_keys(tmp_path)
    (tmp_path / "client.key").chmod(0o644)
    assert client_keys(tmp_path) == pair
    assert stat.S_IMODE((tmp_path / "client.key").stat().st_mode) == 0o600
    (said,) = caplog.messages
    assert "others could read" in said and pair.secret.decode() not in said


def test_a_public_half_follows_its_secret(tmp_path):
    old, new = client_keys(tmp_path), client_keys(tmp_path / "new")
    (tmp_path / "client.key").write_bytes(new.secret)
    assert client_keys(tmp_path) == new != old
    assert (tmp_path / "client.pub").read_bytes().strip() == new.public


def test_a_key_that_was_handed_over_is_used_and_the_old_one_kept(tmp_path):
    old, new = client_keys(tmp_path / "mine"), client_keys(tmp_path / "new")
    given = tmp_path / "new" / "client.key"
    pair, kept = use_key(given, tmp_path / "mine")
    assert pair == new == client_keys(tmp_path / "mine")
    assert kept.read_bytes().strip() == old.secret
    assert use_key(given, tmp_path / "mine") == (new, None)  # twice is once
    given.write_text("damaged")
    with pytest.raises(RecamError) as caught:
        use_key(given, tmp_path / "mine")
    assert caught.value.code == "key_format" and client_keys(tmp_path / "mine") == new


def test_a_public_key_is_never_taken_for_a_secret_one(tmp_path):
    mine, anna = tmp_path / "mine", tmp_path / "anna"
    own, hers = client_keys(mine), client_keys(anna)
    copy = tmp_path / "handed_over.key"
    copy.write_bytes(own.public)
    for file in (anna / "client.pub", mine / "client.pub", copy):
        with pytest.raises(RecamError) as caught:
            use_key(file, mine)
        assert caught.value.code == "key_public" and "keys allow" in caught.value.hint
    (mine / "clients").mkdir()
    (mine / "clients" / "anna.pub").write_bytes(hers.public + b"\n")
    copy.write_bytes(hers.public)
    with pytest.raises(RecamError, match="public half"):
        use_key(copy, mine)
    assert client_keys(mine) == own and len([*mine.glob("*.key")]) == 1


def test_a_file_that_a_person_names_is_not_to_be_deleted(tmp_path):
    own = client_keys(tmp_path)
    film = tmp_path / "text.mp4"
    film.write_bytes(b"no key")
    for file, code in ((film, "key_format"), (tmp_path / "nofile.key", "key_unreadable")):
        with pytest.raises(RecamError) as caught:
            use_key(file, tmp_path)
        said = str(caught.value)
        assert caught.value.code == code and file.name in said and "handed over" in said
        assert "elete" not in said and "readable" not in said
    assert client_keys(tmp_path) == own


def test_two_keys_that_are_taken_over_at_once_leave_all_before(tmp_path):
    pairs = [client_keys(tmp_path / str(n)) for n in range(4)]
    kept = [use_key(tmp_path / str(n) / "client.key", tmp_path / "0")[1] for n in range(1, 4)]
    assert [file.read_bytes().strip() for file in kept] == [each.secret for each in pairs[:3]]


def test_a_damaged_key_of_ones_own_keeps_nobody_from_taking_another(tmp_path):
    client_keys(tmp_path)
    new = client_keys(tmp_path / "new")
    (tmp_path / "client.key").write_bytes(b"torn")
    pair, kept = use_key(tmp_path / "new" / "client.key", tmp_path)
    assert pair == new and kept.read_bytes() == b"torn"
