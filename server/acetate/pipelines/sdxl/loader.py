"""A base of Stable Diffusion XL, opened with its files for transparency."""

from __future__ import annotations

from pathlib import Path

from acetate.pipelines.adapted_base import adapted, base_and_adapter
from acetate.pipelines.base_sources import open_files
from acetate.pipelines.family import ModelFiles
from acetate.pipelines.sdxl.pipeline import SdxlPipeline
from acetate.pipelines.unet_loader import UnetLoader


class SdxlLoader(UnetLoader):
    """Opens the base, and then its pair and patches."""

    family = SdxlPipeline.family

    def load(self, files: ModelFiles) -> SdxlPipeline:
        """See `FamilyLoader.load`."""
        own, adapter = base_and_adapter(files)
        base = adapted(open_files(own, SdxlPipeline.family), adapter)
        parts = files.entry.parts if files.entry else ()
        changes = any(Path(part.file.name).stem.endswith("_transparent_conv") for part in parts)
        pipeline = SdxlPipeline.from_base(base, files.device, files.model, files.locate, adapter)
        pipeline.variant = "convolution" if changes else "attention"
        return pipeline


LOADER = SdxlLoader()
