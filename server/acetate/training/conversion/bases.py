"""The model of others that is made transparent: its folder, its autoencoder, its painter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from acetate.errors import BadRequest
from acetate.models.catalog import Entry
from acetate.models.files import read_config
from acetate.models.folder_kinds import family_painted
from acetate.models.registry import model_named
from acetate.models.rgba_adapter import ADAPTER, adapter_in
from acetate.models.shipped import EMBEDDED, EMBEDDED_FOLDER
from acetate.pipelines.base_sources import open_files, place_of
from acetate.pipelines.family import ModelFiles, loader_of
from acetate.pipelines.flux.loader import flux_base
from acetate.pipelines.flux2.components import Flux2Base
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.transparency_weights import Locate
from acetate.training.conversion.frozen_autoencoder import FrozenAutoencoder
from acetate.training.conversion.layouts import LAYOUTS, WIDENED_ALONE


@dataclass(frozen=True)
class TrainedBase:
    """Where a base lies and what it is; `entry` is that of a model with an id."""

    name: str
    family: str
    place: Path
    entry: Entry | None = None

    @property
    def adapter(self) -> bool:
        """Whether it is a base with an RGBA adapter on it."""
        return self.entry is not None and ADAPTER in self.entry.facts

    def autoencoder(self, device: torch.device, dtype: torch.dtype) -> FrozenAutoencoder:
        """Its autoencoder, frozen. Raises ModelMissing or ModelDamaged."""
        if self.family == EMBEDDED:
            from acetate.training.architecture import PIXEL_UNSHUFFLE, build_autoencoder
            from acetate.training.starting import start_from

            network = build_autoencoder()
            start_from({"autoencoder": network}, self.place)
            network = network.to(device, dtype)
            return FrozenAutoencoder(network, fold=PIXEL_UNSHUFFLE, scale=1.0, shift=0.0)
        files = ModelFiles(self.place, self.name, device, _nothing, self.entry)
        network: Any
        if self.adapter:
            raise BadRequest(f"{self.name} has its transparency already: train its layers.")
        if self.family == "flux":
            network = flux_base(files).autoencoder(dtype, device)
        elif self.family == "flux2":
            network = Flux2Base(self.place).autoencoder(dtype, device)
        else:
            network = open_files(files, self.family).autoencoder(dtype, device)
        return FrozenAutoencoder.of(network)

    def transparency_file(self, pair: Path) -> Path:
        """The file that decides what the latent of a layer is: its adapter's, or the encoder in
        the folder of a pair.
        """
        if (adapter := adapter_in(self.place) if self.adapter else None) is not None:
            return adapter.weights[0]
        return pair / f"{LAYOUTS[self.family].encoder}.safetensors"

    def painter(self, device: torch.device, locate: Locate) -> Pipeline:
        """The whole base with the pair that `locate` finds. Raises ModelMissing, ModelDamaged."""
        files = ModelFiles(self.place, self.name, device, locate, self.entry)
        return loader_of(self.family).load(files)


def find_base(source: str) -> TrainedBase:
    """A folder of diffusers, or the id of a model that is here.

    Raises BadRequest, ModelMissing, ModelDamaged.
    """
    place = Path(source).expanduser()
    if place.is_dir():
        said = str(read_config(place / "model_index.json").get("_class_name"))
        family, entry = family_painted(said), None
        name = place.resolve().name
    elif source == EMBEDDED:
        place, said, entry, name = EMBEDDED_FOLDER, EMBEDDED, None, EMBEDDED
        family = EMBEDDED
    else:
        entry = model_named(source)
        place, family, name = place_of(entry), entry.family, entry.id
        said = family
    if family not in (*LAYOUTS, *WIDENED_ALONE):
        raise BadRequest(
            f"{source} is a {said}, which no transparency is trained for: "
            "it needs Stable Diffusion 1.5, SDXL, FLUX.1 or FLUX.2 klein."
        )
    return TrainedBase(name, family, place, entry)


def _nothing(_: str) -> Path | None:
    """No file of a transparency is there yet."""
