"""Seeds: drawn by who asks, counted up by variant. Their range is a row of `limits`."""

from __future__ import annotations

import secrets

from acetate_bridge.protocol.limits import SEED, VARIANTS

DRAWN = 2**31 - int(VARIANTS.most)
"""Seeds are drawn below this, so that those of all variants fit 31 bits: a script's argument."""


def drawn_seed() -> int:
    """A random seed, which every place that shows a seed can hold."""
    return secrets.randbelow(DRAWN)


def variant_seed(seed: int, index: int) -> int:
    """The seed of variant `index`, counted from 0: they count up, and from 0 after the largest."""
    return (seed + index) % (int(SEED.most) + 1)
