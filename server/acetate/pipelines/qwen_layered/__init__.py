"""Qwen-Image-Layered."""

from acetate.pipelines.qwen_layered.pipeline import LayeredPipeline

__all__ = ["LayeredPipeline"]
