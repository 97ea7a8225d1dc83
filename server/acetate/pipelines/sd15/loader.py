"""A base of Stable Diffusion 1.5, opened with its files for transparency."""

from __future__ import annotations

from acetate.pipelines.base_sources import open_files
from acetate.pipelines.family import FamilyLoader, ModelFiles
from acetate.pipelines.sd15.pipeline import Sd15Pipeline


class Sd15Loader(FamilyLoader):
    """A folder or a checkpoint, with parts of other bases where it lacks some."""

    def load(self, files: ModelFiles) -> Sd15Pipeline:
        """See `FamilyLoader.load`."""
        base = open_files(files, Sd15Pipeline.family)
        return Sd15Pipeline.from_base(base, files.device, files.model, files.locate)


LOADER = Sd15Loader()
