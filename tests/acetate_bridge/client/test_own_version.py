"""A panel of another version than its server says so, and works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acetate_bridge.client.connection_state import Connection, ready
from acetate_bridge.client.own_version import plugin_version


@pytest.mark.parametrize(
    "place", ["acetate_gimp/acetate_bridge", "acetate_krita/vendored/acetate_bridge"]
)
def test_the_manifest_of_the_plug_in_says_it(tmp_path: Path, place: str) -> None:
    bridge = tmp_path / place
    bridge.mkdir(parents=True)
    assert plugin_version(bridge) == ""
    plugin_version.cache_clear()
    (tmp_path / place.partition("/")[0] / "installed.json").write_text(
        json.dumps({"version": "0.0.9", "files": {}})
    )
    assert plugin_version(bridge) == "0.0.9"
    plugin_version.cache_clear()


def test_another_version_is_said_and_works() -> None:
    same, other = ready("acetate 0.1.0", "0.1.0"), ready("acetate 0.1.0", "0.0.9")
    assert same.connection is other.connection is Connection.READY
    assert same.message == "Connected to acetate 0.1.0." == ready("acetate 0.1.0").message
    assert "0.0.9" in other.message and "plugins install" in other.cure
