"""The storms of `make soak`, a few minutes shorter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.storms import STORMS

SMALL = {"server": 2, "worker": 2, "cuts": 15, "frames": 2000}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", STORMS)
def test_nothing_is_lost_and_nothing_comes_twice(name: str, tmp_path: Path) -> None:
    storm, full = STORMS[name]
    assert SMALL[name] < full
    assert storm(tmp_path, SMALL[name], 7).problems == []
