"""A Krita of each version, where `make editors` has put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.krita.session import SUITES, KritaSession
from tests.editors.screen import Screen


@pytest.fixture
def screen() -> Iterator[Screen]:
    """A screen that nobody else sees."""
    found = Screen()
    yield found
    found.close()


@pytest.fixture(params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian release whose Krita is tested: 5.2 in trixie, 5.3 in forky."""
    return request.param


@pytest.fixture
def open_krita(
    suite: str, screen: Screen, tmp_path: Path
) -> Iterator[Callable[..., KritaSession]]:
    """Starts Krita with the plug-in, in a home of its own."""
    opened: list[KritaSession] = []

    def start(environment: dict[str, str] | None = None, dark: bool = True) -> KritaSession:
        home = tmp_path / f"home{len(opened)}"
        home.mkdir(exist_ok=True)
        opened.append(KritaSession(suite, home, screen, environment, dark))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
