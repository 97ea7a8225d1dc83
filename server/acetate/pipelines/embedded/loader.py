"""The model that ships with Acetate, opened."""

from __future__ import annotations

from acetate.pipelines.embedded.pipeline import EmbeddedPipeline
from acetate.pipelines.family import FamilyLoader, ModelFiles


class EmbeddedLoader(FamilyLoader):
    """One folder, without files for transparency."""

    whole = True

    def load(self, files: ModelFiles) -> EmbeddedPipeline:
        """See `FamilyLoader.load`."""
        return EmbeddedPipeline.from_folder(files.place, files.device, files.model)


LOADER = EmbeddedLoader()
