"""What `acetate serve` hands to the server and its workers."""

from __future__ import annotations

import os

import pytest

from acetate.modes.variant_batches import BATCH
from tests.cli.conftest import Acetate


@pytest.mark.parametrize(("words", "told"), [([], None), (["--batch", "2"], "2")])
def test_workers_inherit_how_many_variants_are_painted_at_once(
    acetate: Acetate, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str | None
) -> None:
    heard: list[str | None] = []
    monkeypatch.setattr(
        "acetate.app.server.serve", lambda *arguments: heard.append(os.environ.get(BATCH))
    )
    assert acetate("serve", *words).code == 0
    assert heard == [told]
