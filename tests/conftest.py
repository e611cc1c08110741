"""Fixtures around a real server; see servers.py and takes.py. Loads in Blender's Python too."""

from __future__ import annotations

import os

import pytest
from free_room import TESTS_GB, room_missing
from servers import Server


def pytest_sessionstart(session) -> None:
    """Without room no test is begun."""
    if missing := room_missing(TESTS_GB):
        pytest.exit(missing, returncode=1)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server that this test may kill; the test is its user."""
    yield from _serving(Server(tmp_path / "server"), monkeypatch)


@pytest.fixture(scope="module")
def _lasting(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("server")).start()
    yield made
    made.stop()


@pytest.fixture
def shared_server(_lasting, monkeypatch):
    """A server for a whole file of tests, which leave it as it was; the test is its user."""
    _become_user(_lasting, monkeypatch)
    return _lasting


@pytest.fixture
def client(shared_server):
    """A client of ``shared_server``."""
    from shared.client.client import Client

    with Client(shared_server.address) as made:
        yield made


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory):
    """A clip of ``takes.SHORT`` frames, done in a moment."""
    import takes

    return takes.write_clip(tmp_path_factory.mktemp("clip") / "short.mp4", takes.SHORT, 96, 64)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory):
    """A clip of ``takes.LONG`` frames, for jobs that are to be interrupted."""
    import takes

    return takes.write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", takes.LONG, 640, 360)


def _serving(made: Server, monkeypatch):
    _become_user(made.start(), monkeypatch)
    yield made
    if made.process.poll() is None:
        made.stop()


def _become_user(made: Server, monkeypatch) -> None:
    for name, value in made.environment.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
