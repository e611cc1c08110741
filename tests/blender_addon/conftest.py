"""The add-on in real Blender, without a server."""

from __future__ import annotations


def pytest_configure(config):
    """Load the fixtures that these tests share with the end-to-end tests, once for both."""
    config.pluginmanager.import_plugin("tests.blender_fixtures")
