"""Upscalers of others, which enlarge layers and do nothing else."""

from acetate.pipelines.upscaler.pipeline import UpscalerPipeline

__all__ = ["UpscalerPipeline"]
