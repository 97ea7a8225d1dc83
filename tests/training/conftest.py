from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acetate.training.dataset import PictureSet, read_picture_set, write_picture_set
from acetate.training.sources import Concept, Drawing

SIDE = 64


def drawing(code: str, style: str, label: str = "red apple") -> Drawing:
    """A filled disc in a colour of its own."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    inside = (x - 32) ** 2 + (y - 32) ** 2 < 24**2
    pixels[inside] = (200, 30 + sum(map(ord, code)) % 60, 30, 255)
    return Drawing(Concept(code, label, (), 4), style, pixels)


@pytest.fixture(autouse=True)
def arithmetic_of_its_own() -> Iterator[None]:
    """A process trains in one arithmetic; which one is quicker differs between our stages and
    those of others on a processor with matrix extensions."""
    _forget_the_last()
    yield
    _forget_the_last()


def _forget_the_last() -> None:
    if "accelerate.state" in sys.modules:
        sys.modules["accelerate.state"].AcceleratorState._reset_state()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    drawings = [
        drawing(f"{code:x}", style) for code in range(40) for style in ("3d", "drawn", "flat")
    ]
    write_picture_set(tmp_path / "data", drawings, SIDE)
    return tmp_path / "data"


@pytest.fixture
def pictures(data: Path) -> PictureSet:
    return read_picture_set(data)
