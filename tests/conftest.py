from __future__ import annotations

import os
from pathlib import Path

# Tiny models gain nothing from threads, and threads that wait for each other on a busy machine
# lose minutes. Set before torch is imported; the servers that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What is said is read in English, whatever the language of who runs the tests.
os.environ["LANGUAGE"] = "en"

import pytest

from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from tests.support.tiny_model import write_tiny_model


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick tests first, so that a mistake shows early; side by side the long files first."""
    quick_first = not hasattr(config, "workerinput")
    items.sort(key=lambda item: (item.get_closest_marker("slow") is not None) == quick_first)


@pytest.fixture(autouse=True)
def private_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that a test does reaches the caches of the person who runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("ACETATE_DATA_DIR", str(tmp_path_factory.getbasetemp() / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random model with the layout of the embedded one."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_model: Path) -> Pipeline:
    return load_folder(tiny_model, "cpu")
