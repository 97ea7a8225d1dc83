"""Stable Diffusion XL with LayerDiffuse."""

from acetate.pipelines.sdxl.pipeline import SdxlPipeline

__all__ = ["SdxlPipeline"]
