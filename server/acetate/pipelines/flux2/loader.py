"""A folder of FLUX.2 klein, opened, with an RGBA adapter where one is to go onto it."""

from __future__ import annotations

from pathlib import Path

from acetate.models.base_facts import BaseFacts
from acetate.models.catalog import catalog
from acetate.pipelines.adapted_base import adapted, base_and_adapter
from acetate.pipelines.family import Candidate, FamilyLoader, ModelFiles
from acetate.pipelines.flux2.components import Flux2Base
from acetate.pipelines.flux2.pipeline import Flux2Pipeline
from acetate.pipelines.flux2.rehearsal import rehearse_folder


class Flux2Loader(FamilyLoader):
    """One folder, and an adapter in another."""

    def load(self, files: ModelFiles) -> Flux2Pipeline:
        """See `FamilyLoader.load`."""
        own, adapter = base_and_adapter(files)
        base = adapted(Flux2Base(own.place), adapter)
        return Flux2Pipeline(base, files.device, files.model, adapter)

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """See `FamilyLoader.examine_folder`."""
        rehearse_folder(folder.place, folder.place.name)
        native = catalog()[Flux2Pipeline.family].native
        return BaseFacts(native), Flux2Base(folder.place).weights


LOADER = Flux2Loader()
