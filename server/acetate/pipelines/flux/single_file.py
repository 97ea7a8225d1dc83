"""A Flux denoiser in one file, under its authors' names, over a folder that gives all else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from acetate.errors import ModelDamaged
from acetate.models.base_inventory import DENOISER, names_of_the_first_code
from acetate.models.files import read_config
from acetate.models.flux_names import FLUX_1, rows_of
from acetate.models.network_config import read_network_config
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import model_named
from acetate.pipelines.base_sources import place_of
from acetate.pipelines.flux.components import FluxBase
from acetate.pipelines.network_loading import META, Unfit, filled, read_tensors

_CPU = torch.device("cpu")


class FluxFile(FluxBase):
    """A Flux in one file; `folder` is the Flux folder whose other parts it is painted with."""

    stored = ("vae", "text_encoder", "text_encoder_2")

    def __init__(self, path: Path, folder: Path, home: torch.device = _CPU) -> None:
        super().__init__(folder)
        self._path = path
        state = read_tensors([path], home)
        names = names_of_the_first_code(state, "flux")
        self._state = {
            new.removeprefix(DENOISER): state[old]
            for old, new in names.items()
            if new.startswith(DENOISER)
        }

    @property
    def weights(self) -> list[Path]:
        return [self._path, *super().weights]

    @property
    def files(self) -> dict[str, Path]:
        others = {n: path for n, path in super().files.items() if not n.startswith("transformer/")}
        return {self._path.name: self._path, **others}

    def scheduler_config(self) -> dict[str, Any]:
        config = super().scheduler_config()
        if any(name.startswith("guidance_in.") for name in self._state):
            return config
        # FLUX.1-schnell was trained with even noise levels, whatever its folder's was.
        return config | {"shift": 1.0, "use_dynamic_shifting": False}

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> FluxTransformer2DModel:
        own = read_network_config(self._folder / "transformer" / "config.json")
        try:
            state = in_the_names_of_diffusers(self._state)
            config = own | {
                "num_layers": _count(state, "transformer_blocks"),
                "num_single_layers": _count(state, "single_transformer_blocks"),
                "guidance_embeds": any("guidance_embedder" in name for name in state),
            }
            known = cast("Any", FluxTransformer2DModel).extract_init_dict(config)[0]
            return filled(lambda: FluxTransformer2DModel(**known), state, dtype, device)
        except Unfit as error:
            raise ModelDamaged(f"{self._path.name} is no whole Flux: {error}.") from error


def rehearse_flux(path: Path, source: str, name: str) -> int:
    """The native side of a Flux in one file over the model “model:ID”. Raises NotRecognised."""
    folder = place_of(model_named(source.partition(":")[2]))
    try:
        FluxFile(path, folder, META).denoiser(torch.float32, META)
    except ModelDamaged as error:
        raise NotRecognised(error.message.replace(path.name, name)) from error
    return int(read_config(folder / "vae" / "config.json").get("sample_size", 1024))


def in_the_names_of_diffusers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' tensors under diffusers' names. Raises Unfit for a name that none has."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        module, _, kind = name.rpartition(".")
        places = FLUX_1.modules(module)
        if not places:
            raise Unfit(f"nothing in Flux is called {name}")
        kind = "weight" if kind == "scale" else kind
        ranges = rows_of(module, len(tensor), len(places))
        if sum(end - begin for parts in ranges for begin, end in parts) != len(tensor):
            raise Unfit(f"{name} has {len(tensor)} rows")
        for place, parts in zip(places, ranges, strict=True):
            taken = [tensor[begin:end] for begin, end in parts]
            found[f"{place}.{kind}"] = taken[0] if len(taken) == 1 else torch.cat(taken)
    return found


def _count(state: Mapping[str, Tensor], blocks: str) -> int:
    return len({name.split(".")[1] for name in state if name.startswith(f"{blocks}.")})
