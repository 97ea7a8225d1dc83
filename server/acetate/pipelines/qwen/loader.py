"""A folder of Qwen-Image, opened, with an RGBA adapter where one is to go onto it."""

from __future__ import annotations

from pathlib import Path

from acetate.models.base_facts import EDITS, BaseFacts
from acetate.models.base_inventory import PARTS, Inventory
from acetate.models.catalog import catalog
from acetate.models.supplies import said, source_of_rest
from acetate.pipelines.adapted_base import adapted, base_and_adapter
from acetate.pipelines.family import Candidate, FamilyLoader, ModelFiles
from acetate.pipelines.qwen.components import QwenBase
from acetate.pipelines.qwen.pipeline import QwenPipeline
from acetate.pipelines.qwen.rehearsal import rehearse_folder
from acetate.pipelines.qwen.single_file import open_qwen


class QwenLoader(FamilyLoader):
    """A folder, or a denoiser in one file over another's folder, and an adapter beside."""

    def load(self, files: ModelFiles) -> QwenPipeline:
        """See `FamilyLoader.load`."""
        own, adapter = base_and_adapter(files)
        supplied = dict(own.entry.supplied) if own.entry else {}
        base = adapted(open_qwen(own.place, supplied), adapter)
        return QwenPipeline(base, files.device, files.model, adapter)

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """See `FamilyLoader.examine_folder`."""
        base = QwenBase(folder.place)
        rehearse_folder(base, folder.place.name)
        native = catalog()[QwenPipeline.family].native
        return BaseFacts(native, facts={EDITS: 1} if base.edits else {}), base.weights

    def examine_file(self, file: Candidate, inventory: Inventory) -> BaseFacts:
        """Its denoiser is taken, all else is that of a folder that is here."""
        wanted = {EDITS: 1} if "edit" in file.came_as.lower() else {}
        source = source_of_rest(file.wishes, "qwen", file.name, "Qwen-Image", wanted)
        supplied = dict.fromkeys(PARTS["qwen"], source)
        base = open_qwen(file.place, supplied)
        rehearse_folder(base, file.name)
        facts = {EDITS: 1} if base.edits else {}
        native = catalog()[QwenPipeline.family].native
        return BaseFacts(native, facts=facts, supplied=supplied, notes=(said(supplied),))


LOADER = QwenLoader()
