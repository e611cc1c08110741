"""One engine for all these tests, with the miniature release, and a state folder of their own."""

from __future__ import annotations

import pytest
import torch
from recammaster_jobs import RELEASE

from inference_server.engines.registry import load
from inference_server.releases.modules import load_transformer


@pytest.fixture(scope="session")
def _state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(autouse=True)
def state(_state, monkeypatch):
    """Where prompts and calibrations are kept."""
    monkeypatch.setenv("RECAM_STATE", str(_state))
    return _state


@pytest.fixture
def engine():
    """The engine that a worker would use; on the CPU."""
    return load("recammaster", RELEASE.path)


@pytest.fixture(scope="session")
def transformer():
    """The miniature's, in float32 as it was loaded: leave it so."""
    return load_transformer(RELEASE, torch.float32)
