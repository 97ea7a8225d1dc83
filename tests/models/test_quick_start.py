from __future__ import annotations

import gc

import pytest

from acetate.pipelines.quick_start import without_collecting


def test_garbage_is_collected_again_afterwards_also_when_it_went_wrong() -> None:
    with pytest.raises(ValueError, match="damaged"), without_collecting():
        assert not gc.isenabled()
        raise ValueError("damaged")
    assert gc.isenabled()


def test_who_collects_no_garbage_is_left_alone() -> None:
    gc.disable()
    try:
        with without_collecting(), without_collecting():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
