"""The small model that ships with Acetate, as a pipeline."""

from acetate.pipelines.embedded.pipeline import TASKS, EmbeddedPipeline

__all__ = ["TASKS", "EmbeddedPipeline"]
