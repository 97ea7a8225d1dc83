"""Stable Diffusion 1.5 with LayerDiffuse."""

from acetate.pipelines.sd15.pipeline import Sd15Pipeline

__all__ = ["Sd15Pipeline"]
