from __future__ import annotations

import pytest

from acetate_bridge.protocol import seeds
from acetate_bridge.protocol.limits import SEED, VARIANTS
from acetate_bridge.protocol.seeds import drawn_seed, variant_seed


def test_a_drawn_seed_fits_a_scripts_argument_with_all_of_its_variants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seeds.secrets, "randbelow", lambda below: below - 1)
    assert variant_seed(drawn_seed(), int(VARIANTS.most) - 1) < 2**31 - 1


def test_the_variants_of_the_largest_seed_go_on_from_the_smallest() -> None:
    assert [variant_seed(int(SEED.most), index) for index in range(3)] == [int(SEED.most), 0, 1]
    assert variant_seed(7, 2) == 9
