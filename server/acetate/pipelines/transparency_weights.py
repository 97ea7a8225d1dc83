"""The official transparency pair, and where its files and the patches are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from acetate.errors import ModelMissing
from acetate.latent_transparency import (
    OffsetEncoder,
    TransparentDecoder,
    decode_transparent,
    encode_with_offset,
)
from acetate.models.files import configured, damaged
from acetate.models.weights import fill, in_channels_last, read_weights
from acetate.pipelines.transparency import Moments

Locate = Callable[[str], Path | None]
"""The path of a published file by its id, which is its name without the ending, if it is here."""


@dataclass(frozen=True)
class TransparencyPair:
    """Encoder and decoder of one family's published files; the offset is scaled by `factor`."""

    encoder: OffsetEncoder
    decoder: TransparentDecoder
    factor: float = 300.0
    alpha_last: bool = False
    files: tuple[Path, ...] = ()

    @property
    def modules(self) -> list[nn.Module]:
        return [self.encoder, self.decoder]

    def picture(self, rgb: Tensor) -> Tensor:
        return rgb

    def encode(self, rgba: Tensor, moments: Moments) -> Tensor:
        return encode_with_offset(
            self.encoder,
            rgba,
            moments,
            factor=self.factor,
            alpha_last=self.alpha_last,
            size_multiple=self.decoder.size_multiple,
        )

    def decode(self, pixels: Tensor, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        return decode_transparent(
            self.decoder,
            pixels,
            latent,
            passes,
            alpha_last=self.alpha_last,
            chunk_pixels=chunk_pixels,
        ).float()


def load_pair(
    locate: Locate,
    encoders: Sequence[str],
    decoders: Sequence[str],
    device: torch.device,
    dtype: torch.dtype,
    encoder_dtype: torch.dtype | None = None,
) -> TransparencyPair:
    """Read the pair of an SD 1.5 or SDXL model, from the first file of each that is here.

    A `config.json` beside the encoder may give other arguments of the networks than the published
    ones, as {"encoder": {...}, "decoder": {...}}. Raises ModelMissing or ModelDamaged.
    """
    encoder_file, decoder_file = needed(locate, *encoders), needed(locate, *decoders)
    config = encoder_file.parent / "config.json"
    pair = (
        configured(
            config,
            lambda own: TransparencyPair(
                OffsetEncoder(**own["encoder"]), TransparentDecoder(**own["decoder"])
            ),
        )
        if config.is_file()
        else TransparencyPair(OffsetEncoder(), TransparentDecoder())
    )
    pair = replace(pair, files=(encoder_file, decoder_file))
    fill(pair.encoder, encoder_file, device, encoder_dtype or dtype)
    fill(pair.decoder, decoder_file, device, dtype)
    in_channels_last(pair.decoder)
    return pair


def load_flux_pair(
    locate: Locate,
    device: torch.device,
    dtype: torch.dtype,
    encoder_dtype: torch.dtype | None = None,
) -> TransparencyPair:
    """Read the pair of a Flux model, which is one file, with a copy of the autoencoder besides.

    A `TransparentVAE.json` beside it may give other arguments of the networks than the published
    ones, as {"encoder": {...}, "decoder": {...}}. Raises ModelMissing or ModelDamaged.
    """
    path = needed(locate, "TransparentVAE")
    own: dict[str, dict[str, Any]] = {
        "encoder": {"latent_channels": 16},
        "decoder": {"latent_channels": 16},
    }
    config = path.with_suffix(".json")
    if config.is_file():
        own = configured(config, lambda given: {name: dict(given[name]) for name in own})
    pair = TransparencyPair(
        OffsetEncoder(**own["encoder"]),
        TransparentDecoder(**own["decoder"]),
        alpha_last=True,
        files=(path,),
    )
    state = read_weights(path)
    types = {"encoder.": encoder_dtype or dtype, "decoder.": dtype}
    for prefix, network in (("encoder.", pair.encoder), ("decoder.", pair.decoder)):
        inside = {
            name.removeprefix(prefix): tensor
            for name, tensor in state.items()
            if name.startswith(prefix)
        }
        try:
            network.load_state_dict(inside)
        except RuntimeError as error:
            raise damaged(path) from error
        network.requires_grad_(False).eval().to(device, types[prefix])
    in_channels_last(pair.decoder)
    return pair


def needed(locate: Locate, *ids: str) -> Path:
    """The first of these published files that is here. Raises ModelMissing naming them."""
    for id_ in ids:
        if (path := locate(id_)) is not None:
            return path
    names = " or ".join(f"{id_}.safetensors" for id_ in ids)
    raise ModelMissing(f"The file {names} is missing.", "Fetch the model with `acetate models`.")


def beside(folder: Path) -> Locate:
    """Files in the folder `transparency` of a base model's own folder."""

    def locate(id_: str) -> Path | None:
        path = folder / "transparency" / f"{id_}.safetensors"
        return path if path.is_file() else None

    return locate
