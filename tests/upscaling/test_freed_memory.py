"""Between its convolutions an enlargement takes up memory again that it has just freed."""

from __future__ import annotations

import sys

import pytest
import torch

from acetate.upscaling.enlarging import enlarge
from acetate.upscaling.freed_memory import keep_freed_memory

PAGES = 256 * 256 * 64 * 4 // 4096
"""Of one map of the network, of which it makes some seventy."""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count otherwise")
def test_an_enlargement_takes_no_new_pages_for_each_of_its_maps() -> None:
    from resource import RUSAGE_SELF, getrusage

    layer = torch.rand(1, 4, 256, 256)
    enlarge(layer, 2)
    if not keep_freed_memory():
        pytest.skip("this C library has no such option")
    enlarge(layer, 2)
    before = getrusage(RUSAGE_SELF).ru_minflt
    enlarge(layer, 2)
    assert getrusage(RUSAGE_SELF).ru_minflt - before < 2 * PAGES
