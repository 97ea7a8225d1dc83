"""Tiny autoencoders that others published for previews, and Acetate can fetch."""

from __future__ import annotations

from acetate.models.catalog import Entry, Part, WeightFile
from acetate.models.families import FAMILIES

REPOSITORIES = {
    "sd15": "madebyollin/taesd",
    "sdxl": "madebyollin/taesdxl",
    "flux": "madebyollin/taef1",
}
"""By the family whose latents they decode (Ollin Boer Bohan's TAESD)."""

WEIGHTS = "diffusion_pytorch_model.safetensors"
_CONFIG = "config.json"
_MEGABYTES = 10.0


def preview_decoders() -> dict[str, Entry]:
    """What is fetched of each, as of a model without a base, by its id."""
    return {f"preview-{family}": _entry(family) for family in REPOSITORIES}


def _entry(family: str) -> Entry:
    modes = FAMILIES[family].modes
    sizes = {WEIGHTS: _MEGABYTES, _CONFIG: 0.0}
    parts = tuple(
        Part(WeightFile(f"preview_{family}_{name}", REPOSITORIES[family], name, size), modes)
        for name, size in sizes.items()
    )
    title = f"Tiny autoencoder for previews of {family}"
    return Entry(f"preview-{family}", title, family, modes, "mit", 0, 0, parts=parts)
