"""How broad a run of the tests is: whole, or brief, as `make test` is by hand.

A brief run gives an early answer, and is not enough to take a change: of each parametrised test in
a file marked `matrix` it runs one case, it draws fewer random samples, it opens the newest editors
only, and it leaves out the tests marked `exhaustive`, which are among the longest.
"""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Sequence

import pytest

BRIEF = os.environ.get("ACETATE_TESTS") == "brief"


def draws(whole: int, brief: int) -> int:
    """How many of something are tried."""
    return brief if BRIEF else whole


def suites(oldest_first: Sequence[str]) -> Sequence[str]:
    """The Debian releases whose editors are tested."""
    return oldest_first[-1:] if BRIEF else oldest_first


def left_out(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """What a brief run leaves out of these, given in the order of their files.

    Of a matrix the first or the last cell stays, the same in all of a file, as tests may go on
    from what others of it have made; several files meet both.
    """
    cells: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("matrix"):
            cells[item.nodeid.partition("[")[0]].append(item)
    further = {item for test, each in cells.items() for item in _further(test, each)}
    return [item for item in items if item in further or item.get_closest_marker("exhaustive")]


def _further(test: str, cells: Sequence[pytest.Item]) -> Sequence[pytest.Item]:
    file = test.partition("::")[0]
    return cells[1:] if zlib.crc32(file.encode()) % 2 else cells[:-1]
