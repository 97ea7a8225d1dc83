"""The file of an upscaler, opened."""

from __future__ import annotations

from acetate.pipelines.family import FamilyLoader, ModelFiles
from acetate.pipelines.upscaler.pipeline import UpscalerPipeline


class UpscalerLoader(FamilyLoader):
    """One file of weights."""

    def load(self, files: ModelFiles) -> UpscalerPipeline:
        """See `FamilyLoader.load`."""
        return UpscalerPipeline(files.place, files.device, files.model)


LOADER = UpscalerLoader()
