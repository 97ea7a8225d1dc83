"""A folder of Qwen-Image-2.1, opened."""

from __future__ import annotations

from pathlib import Path

import torch

from acetate.models.base_facts import BaseFacts
from acetate.models.catalog import catalog
from acetate.models.rgba_adapter import ALPHA, MEASURED
from acetate.pipelines.family import Candidate, FamilyLoader, ModelFiles
from acetate.pipelines.measured_alpha import alpha_of_frames
from acetate.pipelines.qwen21.components import Components
from acetate.pipelines.qwen21.pipeline import Qwen21Pipeline
from acetate.pipelines.qwen21.rehearsal import rehearse_folder
from acetate.pipelines.transparency import AlphaKind


class Qwen21Loader(FamilyLoader):
    """One folder, without files for transparency."""

    whole = True

    def load(self, files: ModelFiles) -> Qwen21Pipeline:
        """See `FamilyLoader.load`."""
        told = None if files.entry is None else files.entry.facts.get(ALPHA)
        alpha: AlphaKind = "premultiplied" if told == "premultiplied" else "straight"
        return Qwen21Pipeline(Components(files.place), files.device, files.model, alpha)

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """See `FamilyLoader.examine_folder`."""
        rehearse_folder(folder.place, folder.place.name)
        native = catalog()[Qwen21Pipeline.family].native
        components = Components(folder.place)
        kind = alpha_of_frames(components.autoencoder(torch.float32, torch.device("cpu")))
        facts = {ALPHA: kind, MEASURED: 1} if kind else {}
        return BaseFacts(native, facts=facts), components.weights


LOADER = Qwen21Loader()
