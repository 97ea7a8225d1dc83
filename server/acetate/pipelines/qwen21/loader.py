"""A folder of Qwen-Image-2.1, opened."""

from __future__ import annotations

from pathlib import Path

from acetate.models.base_facts import BaseFacts
from acetate.models.catalog import catalog
from acetate.pipelines.family import Candidate, FamilyLoader, ModelFiles
from acetate.pipelines.qwen21.components import Components
from acetate.pipelines.qwen21.pipeline import Qwen21Pipeline
from acetate.pipelines.qwen21.rehearsal import rehearse_folder


class Qwen21Loader(FamilyLoader):
    """One folder, without files for transparency."""

    whole = True

    def load(self, files: ModelFiles) -> Qwen21Pipeline:
        """See `FamilyLoader.load`."""
        return Qwen21Pipeline.from_folder(files.place, files.device, files.model)

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """See `FamilyLoader.examine_folder`."""
        rehearse_folder(folder.place, folder.place.name)
        native = catalog()[Qwen21Pipeline.family].native
        return BaseFacts(native), Components(folder.place).weights


LOADER = Qwen21Loader()
