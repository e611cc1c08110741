"""A hub on this machine, at which this process and its children look for weights."""

from __future__ import annotations

import pytest
from hub_server import Hub, use_endpoint

from inference_server.releases import hub as client


@pytest.fixture
def hub(monkeypatch):
    """A hub of the miniature release; broken downloads are tried again without a wait."""
    made = Hub()
    use_endpoint(monkeypatch, made.url)
    monkeypatch.setattr(client, "WAIT", 0.0)
    yield made
    made.close()
