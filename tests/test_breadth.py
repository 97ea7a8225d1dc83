"""What a brief run of the tests leaves out, and that a whole one leaves out nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.breadth import left_out

MATRIX = Path(__file__).parent / "images" / "test_foreground_colour.py"


class Item:
    """As much of a test as is looked at."""

    def __init__(self, nodeid: str, *marks: str) -> None:
        self.nodeid, self.marks = nodeid, marks

    def get_closest_marker(self, name: str) -> bool:
        return name in self.marks


def named(nodeid: str, *marks: str) -> Any:
    return Item(nodeid, *marks)


def test_of_a_matrix_the_first_and_the_last_cell_stay() -> None:
    cells = [named(f"a.py::test[{cell}]", "matrix") for cell in "wxyz"]
    another = [named(f"a.py::other[{cell}]", "matrix") for cell in "xy"]
    assert left_out([*cells, *another]) == cells[1:3]


def test_what_is_exhaustive_stays_out_and_all_else_in() -> None:
    long = named("b.py::test_long", "exhaustive")
    cells = [named(f"b.py::test[{cell}]") for cell in "xyz"]
    assert left_out([long, *cells]) == [long]


@pytest.mark.slow
@pytest.mark.parametrize("breadth", ["brief", "whole"])
def test_a_run_is_brief_only_where_that_is_said(breadth: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(MATRIX)],
        cwd=MATRIX.parents[2], env={**os.environ, "ACETATE_TESTS": breadth},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert ("deselected" in told) == (breadth == "brief")
