from __future__ import annotations

import gc
import os
import random
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

# Tiny models gain nothing from threads, and threads that wait for each other on a busy machine
# lose minutes. Set before torch is imported; the servers that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What is said is read in English, whatever the language of who runs the tests.
os.environ["LANGUAGE"] = "en"

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from acetate.models import hub_hosts
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.language.spoken import ENGLISH, speak
from tests.breadth import BRIEF, left_out
from tests.support.tiny_model import write_tiny_model

# The same examples every time, however slow the machine: a run that fails fails again.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")
_numbers = count()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick tests first, so that a mistake shows early; side by side the long files first."""
    if BRIEF:
        without = left_out(items)
        dropped = set(without)
        items[:] = [item for item in items if item not in dropped]
        config.hook.pytest_deselected(items=without)
    quick_first = not hasattr(config, "workerinput")
    items.sort(key=lambda item: (item.get_closest_marker("slow") is not None) == quick_first)


def pytest_collection_finish() -> None:
    """What is loaded by now stays, and is not searched for garbage each time: that takes 0.2 s."""
    gc.collect()
    gc.freeze()


def _seed(name: str) -> None:
    """What is drawn without a seed depends on neither luck nor the tests before."""
    number = zlib.crc32(name.encode())
    torch.default_generator.manual_seed(number)
    np.random.seed(number)
    random.seed(number)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> None:
    """Also what is made once for many tests is the same, whichever of them comes first."""
    _seed(fixturedef.argname)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    _seed(item.nodeid)


_FOLDERS = {"ACETATE_DATA_DIR": "data", "ACETATE_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "config"}


@pytest.fixture(scope="session", autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that is made for many tests reaches the folders of the person who runs them."""
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        # What is kept there is the same whoever has written it.
        patch.setenv("XDG_CACHE_HOME", str(base / "cache"))
        for variable, name in _FOLDERS.items():
            patch.setenv(variable, str(base / "home" / name))
        yield


@pytest.fixture(autouse=True)
def private_folders(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Nor does one test find what another has left, in folders, variables or the program."""
    before, base = dict(os.environ), tmp_path_factory.getbasetemp()
    home = base / "homes" / str(next(_numbers))
    for variable, name in _FOLDERS.items():
        # A file's own fixtures may have chosen a place for all of its tests.
        if os.environ.get(variable) == str(base / "home" / name):
            monkeypatch.setenv(variable, str(home / name))
    monkeypatch.setattr(hub_hosts, "_endpoints", set())
    yield
    for name in {*os.environ, *before} - {"PYTEST_CURRENT_TEST"}:
        if name not in before:
            del os.environ[name]
        elif os.environ.get(name) != before[name]:
            os.environ[name] = before[name]
    speak(ENGLISH)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random model with the layout of the embedded one."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_model: Path) -> Pipeline:
    return load_folder(tiny_model, "cpu")
