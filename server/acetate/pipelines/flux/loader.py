"""A base of FLUX.1, opened with its files for transparency."""

from __future__ import annotations

from acetate.models.registry import model_named
from acetate.pipelines.base_sources import place_of
from acetate.pipelines.family import FamilyLoader, ModelFiles
from acetate.pipelines.flux.components import FluxBase
from acetate.pipelines.flux.pipeline import FluxPipeline
from acetate.pipelines.flux.single_file import FluxFile


class FluxLoader(FamilyLoader):
    """A folder, or a denoiser in one file over the folder of another base."""

    def load(self, files: ModelFiles) -> FluxPipeline:
        """See `FamilyLoader.load`."""
        return FluxPipeline.from_base(_base(files), files.device, files.model, files.locate)


def _base(files: ModelFiles) -> FluxBase:
    if files.place.is_dir():
        return FluxBase(files.place)
    supplied = dict(files.entry.supplied) if files.entry else {}
    source = next(iter(supplied.values()), "")
    return FluxFile(files.place, place_of(model_named(source.partition(":")[2])))


LOADER = FluxLoader()
