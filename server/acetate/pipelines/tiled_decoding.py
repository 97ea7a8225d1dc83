"""Decoding in tiles that are smaller than what an autoencoder was trained on."""

from __future__ import annotations

from typing import Any

TILE = 512
"""Pixels of a tile's side: one of SDXL's own size would be the whole picture."""


def decode_in_tiles(vae: Any, factor: int) -> None:
    """From now on the autoencoder of a family whose latents are `factor` times smaller does so."""
    vae.enable_tiling()
    side = min(int(vae.tile_sample_min_size), TILE)
    vae.tile_sample_min_size, vae.tile_latent_min_size = side, side // factor
