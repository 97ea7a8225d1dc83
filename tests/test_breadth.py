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


def test_of_a_matrix_one_cell_stays_the_same_in_all_of_a_file() -> None:
    met: set[str] = set()
    for file in ("a.py", "b.py", "c.py", "d.py"):
        cells = [named(f"{file}::test[{cell}]", "matrix") for cell in "wxyz"]
        another = [named(f"{file}::other[{cell}]", "matrix") for cell in "wz"]
        without = left_out([*cells, *another])
        stay = [each for each in (*cells, *another) if each not in without]
        one, other = (each.nodeid.partition("[")[2] for each in stay)
        assert one == other and one in ("w]", "z]")
        met.add(one)
    assert met == {"w]", "z]"}, "files between them meet the first and the last"


def test_what_is_exhaustive_stays_out_and_all_else_in() -> None:
    long = named("b.py::test_long", "exhaustive")
    cells = [named(f"b.py::test[{cell}]") for cell in "xyz"]
    assert left_out([long, *cells]) == [long]


@pytest.mark.parametrize("by_hand", [{}, {"ACETATE_TESTS": "brief"}], ids=["as it is", "brief"])
def test_where_changes_are_taken_make_leaves_out_nothing(
    tmp_path: Path, by_hand: dict[str, str]
) -> None:
    asking = tmp_path / "Makefile"
    asking.write_text("include Makefile\nbreadth:\n\t@echo $$ACETATE_TESTS\n")
    told: dict[str, str] = {}
    for ci in ("", "true"):
        surroundings = {**os.environ, **by_hand, "CI": ci}
        if not by_hand:
            surroundings.pop("ACETATE_TESTS", None)
        told[ci] = subprocess.run(
            ["make", "--no-print-directory", "-f", str(asking), "breadth"],
            cwd=MATRIX.parents[2], env=surroundings, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    assert told == {"": "brief", "true": "whole"}


@pytest.mark.slow
@pytest.mark.parametrize("breadth", ["brief", "whole", ""])
def test_a_run_is_brief_only_where_that_is_said(breadth: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(MATRIX)],
        cwd=MATRIX.parents[2], env={**os.environ, "ACETATE_TESTS": breadth},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert ("deselected" in told) == (breadth == "brief")
