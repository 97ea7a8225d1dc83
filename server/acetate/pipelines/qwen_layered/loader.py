"""A folder of Qwen-Image-Layered, opened."""

from __future__ import annotations

from acetate.pipelines.family import FamilyLoader, ModelFiles
from acetate.pipelines.qwen_layered.pipeline import LayeredPipeline


class LayeredLoader(FamilyLoader):
    """One folder, without files for transparency."""

    whole = True

    def load(self, files: ModelFiles) -> LayeredPipeline:
        """See `FamilyLoader.load`."""
        return LayeredPipeline.from_folder(files.place, files.device, files.model)


LOADER = LayeredLoader()
