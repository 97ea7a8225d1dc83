"""The latent transparency of LayerDiffuse (arXiv 2402.17113): layers into latents, and back."""

from __future__ import annotations

from acetate.latent_transparency.colour import (
    checkerboard,
    composite_on_grey,
    composite_over,
    pad_colour,
)
from acetate.latent_transparency.decoding import decode_transparent
from acetate.latent_transparency.encoding import encode_with_offset, offset_feed
from acetate.latent_transparency.offset_encoder import OffsetEncoder
from acetate.latent_transparency.transparent_decoder import TransparentDecoder

__all__ = [
    "OffsetEncoder",
    "TransparentDecoder",
    "checkerboard",
    "composite_on_grey",
    "composite_over",
    "decode_transparent",
    "encode_with_offset",
    "offset_feed",
    "pad_colour",
]
