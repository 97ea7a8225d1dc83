"""A base of FLUX.1, opened with its files for transparency."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from acetate.models.base_facts import BaseFacts
from acetate.models.base_inventory import PARTS, Inventory, check_entry
from acetate.models.files import damaged, read_config
from acetate.models.identify import shapes_in
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import model_named
from acetate.models.supplies import said, source_of_rest
from acetate.pipelines.adapted_base import adapted, base_and_adapter
from acetate.pipelines.base_sources import place_of
from acetate.pipelines.family import Candidate, FamilyLoader, ModelFiles
from acetate.pipelines.flux.components import FluxBase
from acetate.pipelines.flux.pipeline import FluxPipeline
from acetate.pipelines.flux.rehearsal import rehearse_flux_folder
from acetate.pipelines.flux.single_file import FluxFile, rehearse_flux

SCHNELL = "schnell"
"""The scheduler of those that read no guidance."""


class FluxLoader(FamilyLoader):
    """A folder, or a denoiser in one file over the folder of another base."""

    def load(self, files: ModelFiles) -> FluxPipeline:
        """See `FamilyLoader.load`."""
        own, adapter = base_and_adapter(files)
        base = adapted(flux_base(own), adapter)
        return FluxPipeline.from_base(base, files.device, files.model, files.locate, adapter)

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """See `FamilyLoader.examine_folder`."""
        place = folder.place
        config = place / "vae" / "config.json"
        transformer = read_config(place / "transformer" / "config.json")
        kind = transformer.get("_class_name")
        if kind != "FluxTransformer2DModel":
            raise NotRecognised(f"{place} says that it is Flux, but its denoiser is a {kind}.")
        check_entry(int(transformer.get("in_channels", 64)), "flux", place.name)
        try:
            native = int(read_config(config)["sample_size"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(config) from error
        base = FluxBase(place)
        rehearse_flux_folder(base, place.name)
        preset = "" if transformer.get("guidance_embeds") else SCHNELL
        return BaseFacts(native, preset), base.weights

    def examine_file(self, file: Candidate, inventory: Inventory) -> BaseFacts:
        """Its denoiser is taken, all else is that of a Flux folder that is here."""
        source = source_of_rest(file.wishes, "flux", file.name, "Flux")
        native = rehearse_flux(file.place, source, file.name)
        guided = any("guidance_in." in key for key in shapes_in(file.place))
        supplied = dict.fromkeys(PARTS["flux"], source)
        return BaseFacts(native, "" if guided else SCHNELL, {}, supplied, False, (said(supplied),))


def flux_base(files: ModelFiles) -> FluxBase:
    """The components of a base, of which one in a file takes most from a folder."""
    return open_flux(files.place, dict(files.entry.supplied) if files.entry else {})


def open_flux(place: Path, supplied: Mapping[str, str]) -> FluxBase:
    """The base in a folder, or in a file whose other parts are supplied. Raises ModelMissing."""
    if place.is_dir():
        return FluxBase(place)
    source = next(iter(supplied.values()), "")
    return FluxFile(place, place_of(model_named(source.partition(":")[2])))


LOADER = FluxLoader()
