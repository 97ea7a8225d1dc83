from __future__ import annotations

from pathlib import Path

import pytest

from acetate.models.own_register import own_folder
from acetate.workers.generator import open_generator


def test_a_worker_looks_for_models_where_the_server_was_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", "")
    open_generator("cpu", tmp_path / "elsewhere")
    assert own_folder() == tmp_path / "elsewhere"
