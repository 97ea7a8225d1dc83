from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acetate_bridge.panel.desk import Desk


@pytest.fixture(autouse=True)
def close_every_panel() -> Iterator[None]:
    """Panels give their slots back, as an editor that quits does."""
    yield
    while Desk.opened:
        Desk.opened.pop().panel.stop()
