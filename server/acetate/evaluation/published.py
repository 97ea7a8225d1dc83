"""What others have published: the aim, never figures of ours."""

from __future__ import annotations

PUBLISHED: dict[str, dict[str, float]] = {
    "aim: AlphaVAE (arXiv 2507.09308), AIM-500": {
        "PSNR grey": 41.0,
        "PSNR black": 38.8,
        "PSNR white": 38.5,
    },
}
"""Its abstract puts LayerDiffuse 4.9 dB below, on average over its test set."""
