"""Whether an RGBA adapter fits a base, found out without the numbers of either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from acetate.errors import AcetateError
from acetate.models.catalog import Entry
from acetate.models.component_files import weight_files
from acetate.models.files import read_config
from acetate.models.recognition_error import NotRecognised
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.pipelines.adapted_base import AUTOENCODERS, AutoencoderKL
from acetate.pipelines.base_sources import open_base, place_of
from acetate.pipelines.network_loading import META, filled, read_tensors
from acetate.pipelines.rehearsal import unfit
from acetate.pipelines.rgba_adapter import alpha_decoder, lora_of


def rehearse_adapter(adapter: RgbaAdapter, base: Entry, name: str) -> None:
    """Raises NotRecognised with what does not fit."""
    with torch.inference_mode():
        try:
            _rehearse(adapter, base, name)
        except AcetateError as error:
            raise NotRecognised(error.message, error.hint) from error
        except Exception as error:  # Whatever painting would have met.
            words = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise unfit(name, f"its parts do not fit each other ({words[:160]})") from error


def _rehearse(adapter: RgbaAdapter, base: Entry, name: str) -> None:
    denoiser, own = _parts(base)
    if adapter.vae is not None:
        kind = AUTOENCODERS.get(adapter.family, AutoencoderKL)
        widened = _on_meta(adapter.vae, kind).config
        for key in ("latent_channels", "scaling_factor", "shift_factor"):
            if widened.get(key) != own.get(key):
                raise unfit(
                    name,
                    f"its autoencoder has {key} {widened.get(key)}, where that of {base.id} has "
                    f"{own.get(key)}",
                )
        if len(widened["block_out_channels"]) != len(own["block_out_channels"]):
            raise unfit(name, f"its autoencoder is not as deep as that of {base.id}")
    elif adapter.decoder is not None:
        alpha_decoder(adapter.decoder, own)
    lora_of(adapter, denoiser)


def _parts(base: Entry) -> tuple[nn.Module, Any]:
    """The denoiser of a base and the configuration of its autoencoder, without numbers."""
    place = place_of(base)
    if base.family == "flux2":
        from acetate.pipelines.flux2.components import NETWORKS

        networks = [_on_meta(place / part, NETWORKS[part]) for part in ("transformer", "vae")]
        return networks[0], networks[1].config
    if base.family == "flux":
        from acetate.pipelines.flux.loader import open_flux

        flux = open_flux(place, dict(base.supplied))
        return flux.on_meta("transformer"), flux.on_meta("vae").config
    other = open_base(place, base.family, base.facts, dict(base.supplied), META)
    denoiser, vae = (part(torch.float32, META) for part in (other.denoiser, other.autoencoder))
    return denoiser, vae.config


def _on_meta(folder: Path, kind: Any) -> Any:
    config = read_config(folder / "config.json")
    state = read_tensors(weight_files(folder), META)
    return filled(lambda: kind(**kind.extract_init_dict(config)[0]), state, torch.float32, META)
