"""What the models of the catalog need, for a card that is drawn while no server can say so."""

from __future__ import annotations

KNOWN_NEEDS: tuple[tuple[str, str, float], ...] = (
    ("embedded", "Embedded model", 1),
    ("sd15", "Stable Diffusion 1.5 with LayerDiffuse", 4),
    ("sd15-light", "Stable Diffusion 1.5 with IC-Light (published file not run here)", 6),
    ("sdxl", "Stable Diffusion XL with LayerDiffuse", 10),
    ("sdxl-conv", "Stable Diffusion XL with LayerDiffuse, convolution variant", 10),
    ("qwen-layered", "Qwen-Image-Layered", 60),
    ("qwen21", "Qwen-Image-2.1 (published files not run here)", 31),
    ("qwen", "Qwen-Image-2512, for RGBA adapters (published files not run here)", 60),
    ("qwen-edit", "Qwen-Image-Edit-2511, for RGBA adapters (published files not run here)", 60),
    ("flux2", "FLUX.2 klein 4B, for RGBA adapters (published files not run here)", 18),
    ("flux", "FLUX.1-dev with LayerDiffuse-Flux", 28),
)
"""Id, name and gigabytes of the device; a test holds it to the catalog."""
