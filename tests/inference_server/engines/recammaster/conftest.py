"""One engine for all these tests, with the miniature release, and a state folder of their own."""

from __future__ import annotations

import pytest
import torch
from recammaster_jobs import RELEASE, pictures

from inference_server.engines.recammaster.engine import ReCamMasterEngine
from inference_server.releases.modules import load_transformer


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory):
    """Where prompts and calibrations are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECAM_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def engine():
    """On the CPU, whatever else this machine has."""
    return ReCamMasterEngine(RELEASE.path, "cpu")


@pytest.fixture(scope="session")
def transformer():
    """The miniature's, in float32 as it was loaded: leave it so."""
    return load_transformer(RELEASE, torch.float32)


@pytest.fixture(scope="session")
def usual():
    """A short clip."""
    return pictures(5)
