"""Which attentions of a denoiser see style, and which see what lies where.

For SDXL after InstantStyle (Wang et al. 2024) and the guide of diffusers; for Stable Diffusion 1.5
after the weight types “style transfer” and “composition” of ComfyUI_IPAdapter_plus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acetate.errors import BadRequest
from acetate_bridge.protocol.types import Aspect

Shares = Mapping[str, float]
"""The share of the strength that attentions get, by how their names begin; the others get none."""

_SHARES: dict[str, dict[Aspect, Shares]] = {
    "sdxl": {
        "style": {"up_blocks.0.attentions.1.": 1.0},
        "composition": {"down_blocks.2.attentions.1.": 1.0},
    },
    "sd15": {
        "style": {
            "down_blocks.0.": 1.0,
            "down_blocks.1.": 1.0,
            "mid_block.": 1.0,
            "up_blocks.2.": 1.0,
            "up_blocks.3.": 1.0,
        },
        "composition": {"down_blocks.2.attentions.0.": 0.25, "down_blocks.2.attentions.1.": 1.0},
    },
}


def shares_of(aspect: Aspect, family: str) -> Shares:
    """Where an aspect is seen; empty for the whole, which all attentions see. Raises BadRequest."""
    if aspect == "whole":
        return {}
    if family not in _SHARES:
        raise BadRequest(
            f"With this model a reference is gone by as a whole, not for its {aspect} alone.",
            "Leave that out, or take a model of Stable Diffusion 1.5 or SDXL.",
        )
    return _SHARES[family][aspect]


def share_at(places: Iterable[str], shares: Shares) -> dict[str, float]:
    """The share of each attention that has one; without any shares all have all of it."""
    if not shares:
        return dict.fromkeys(places, 1.0)
    return {
        place: share
        for place in places
        for begin, share in shares.items()
        if place.startswith(begin)
    }
