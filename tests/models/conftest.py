from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.hub_server import Hub

WEIGHTS = bytes(range(256)) * 8192
"""Content of `someone/weights/w.safetensors`."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running hub with a base and a weight file, and an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    files = {
        "someone/weights": {"w.safetensors": WEIGHTS, "README.md": b"about"},
        "someone/base": {
            "model_index.json": b"{}",
            "scheduler/config.json": b"{1}",
            "big.ckpt": b"no",
        },
    }
    with Hub(files) as running:
        yield running
