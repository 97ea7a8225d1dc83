"""A folder of Qwen-Image-2.1, opened."""

from __future__ import annotations

from acetate.pipelines.family import FamilyLoader, ModelFiles
from acetate.pipelines.qwen21.pipeline import Qwen21Pipeline


class Qwen21Loader(FamilyLoader):
    """One folder, without files for transparency."""

    whole = True

    def load(self, files: ModelFiles) -> Qwen21Pipeline:
        """See `FamilyLoader.load`."""
        return Qwen21Pipeline.from_folder(files.place, files.device, files.model)


LOADER = Qwen21Loader()
