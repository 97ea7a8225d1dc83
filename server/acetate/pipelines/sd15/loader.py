"""A base of Stable Diffusion 1.5, opened with its files for transparency."""

from __future__ import annotations

from acetate.pipelines.adapted_base import adapted, base_and_adapter
from acetate.pipelines.base_sources import open_files
from acetate.pipelines.family import ModelFiles
from acetate.pipelines.sd15.pipeline import Sd15Pipeline
from acetate.pipelines.unet_loader import UnetLoader


class Sd15Loader(UnetLoader):
    """Opens the base, and then its pair and patches."""

    family = Sd15Pipeline.family

    def load(self, files: ModelFiles) -> Sd15Pipeline:
        """See `FamilyLoader.load`."""
        own, adapter = base_and_adapter(files)
        base = adapted(open_files(own, Sd15Pipeline.family), adapter)
        return Sd15Pipeline.from_base(base, files.device, files.model, files.locate, adapter)


LOADER = Sd15Loader()
