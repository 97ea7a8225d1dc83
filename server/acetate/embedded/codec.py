"""Between pictures and the latents of the embedded model, at half of the pictures' size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, normalize, pad, pixel_shuffle
from torch.nn.functional import pixel_unshuffle as fold

from acetate.embedded.autoencoder import Autoencoder
from acetate.embedded.text_encoder import TextEncoder
from acetate.latent_transparency import (
    OffsetEncoder,
    TransparentDecoder,
    decode_transparent,
    encode_with_offset,
)
from acetate.models.files import configured, damaged, existing
from acetate.models.tokenizer_file import to_length
from acetate.models.weights import fill, in_channels_last

ENLARGED = 2
"""A picture is painted at half of its size and enlarged by cubic interpolation."""
OUTLINE = 11
"""Side of the square, in pixels of the full size, within which an outline falls to nothing."""
STEEPER = 1.75
"""How much steeper an outline is made. Round trips of drawings come closest to the truth at 1.5,
and better than undone up to 2.5; what is painted is a little softer than they."""
VAE_WEIGHTS = "vae/diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Codec:
    """The frozen networks around the denoiser.

    `fold` × `fold` pixels become channels before the autoencoder sees them.
    """

    autoencoder: Autoencoder
    encoder: OffsetEncoder
    decoder: TransparentDecoder
    fold: int
    offset_factor: float
    offset_scaled_by_std: bool
    device: torch.device
    dtype: torch.dtype

    @property
    def small_factor(self) -> int:
        """Pixels of the halved picture to a side of a latent pixel."""
        return self.fold * self.autoencoder.factor

    @property
    def modules(self) -> list[nn.Module]:
        """All of them."""
        return [self.autoencoder, self.encoder, self.decoder]

    def encode_picture(self, rgb: Tensor) -> Tensor:
        """Scaled latent of an opaque picture [B, 3, H, W] in [0, 1]."""
        return self.encode_small_picture(halved(rgb))

    def encode_small_picture(self, rgb: Tensor) -> Tensor:
        """The same of a picture that is at half size already."""
        return self._scaled(self._moments(rgb)[0])

    def encode_small(self, rgba: Tensor) -> Tensor:
        """Scaled latent of a straight-alpha layer [B, 4, H, W] that is at half size already."""
        latent = encode_with_offset(
            self.encoder,
            rgba.to(self.device, self.dtype),
            self._moments,
            factor=self.offset_factor,
            scaled_by_std=self.offset_scaled_by_std,
        )
        return self._scaled(latent)

    def decode_picture(self, latent: Tensor) -> Tensor:
        """Opaque picture [B, 3, H, W] in [0, 1] of a scaled latent."""
        return _doubled(self.decode_small_picture(latent))

    def decode_small_picture(self, latent: Tensor) -> Tensor:
        """The same at half size."""
        return self._decode(self._unscaled(latent)).float()

    def decode_layer(self, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        """Straight-alpha layer [B, 4, H, W] in [0, 1] of a scaled latent."""
        return firmed(doubled_layer(self.decode_small(latent, passes, chunk_pixels)))

    def decode_small(self, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        """The same at half size."""
        unscaled = self._unscaled(latent)
        picture = self._decode(unscaled)
        return decode_transparent(
            self.decoder, picture, unscaled, passes, chunk_pixels=chunk_pixels
        ).float()

    def _moments(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        folded = fold(rgb.to(self.device, self.dtype) * 2 - 1, self.fold)
        return self.autoencoder.encode(folded.contiguous(memory_format=torch.channels_last))

    def _decode(self, unscaled: Tensor) -> Tensor:
        folded = self.autoencoder.decode(unscaled)
        return (pixel_shuffle(folded, self.fold) * 0.5 + 0.5).clamp(0, 1)

    def _scaled(self, latent: Tensor) -> Tensor:
        own = self.autoencoder
        return ((latent - own.shift_factor) * own.scaling_factor).float()

    def _unscaled(self, latent: Tensor) -> Tensor:
        own = self.autoencoder
        unscaled = latent / own.scaling_factor + own.shift_factor
        return unscaled.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)


def read_codec(folder: Path, device: torch.device, dtype: torch.dtype) -> tuple[Codec, list[Path]]:
    """The codec of a model folder, and the files of its weights.

    Raises ModelMissing or ModelDamaged naming a file.
    """
    folded = configured(folder / "model_index.json", lambda index: int(index["pixel_unshuffle"]))
    encoder, decoder, factor, by_std = configured(
        folder / "transparency" / "config.json",
        lambda config: (
            OffsetEncoder(**config["encoder"]),
            TransparentDecoder(**config["decoder"]),
            float(config["offset_factor"]),
            bool(config["offset_scaled_by_std"]),
        ),
    )
    autoencoder = configured(folder / "vae" / "config.json", Autoencoder)
    weights: list[tuple[nn.Module, Path]] = [
        (autoencoder, folder / VAE_WEIGHTS),
        (encoder, folder / "transparency" / "encoder.safetensors"),
        (decoder, folder / "transparency" / "decoder.safetensors"),
    ]
    for module, path in weights:
        load(module, path, device, dtype)
    codec = Codec(autoencoder, encoder, decoder, folded, factor, by_std, device, dtype)
    return codec, [path for _, path in weights]


def load(module: nn.Module, path: Path, device: torch.device, dtype: torch.dtype) -> None:
    """Weights into a module, in the layout that convolutions on a CPU like best."""
    fill(module, path, device, dtype)
    in_channels_last(module)


def read_tokenizer(path: Path, length: int) -> Tokenizer:
    """Every prompt becomes exactly `length` tokens, as in training."""
    try:
        tokenizer = Tokenizer.from_file(str(existing(path)))
    except Exception as error:  # The tokenizers library raises plain Exception for a broken file.
        if path.is_file():
            raise damaged(path) from error
        raise
    return to_length(tokenizer, length, tokenizer.token_to_id("[PAD]") or 0)


def word_vectors(
    text_encoder: TextEncoder, tokenizer: Tokenizer
) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Turns phrases into the sum of their words' static vectors, [N, D] of length 1."""
    table = text_encoder.embeddings.word_embeddings.weight
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()

    def vectors(phrases: Sequence[str]) -> NDArray[np.float32]:
        found = plain.encode_batch(list(phrases), add_special_tokens=False)
        rows = [table[torch.tensor(one.ids, dtype=torch.long)].float().sum(0) for one in found]
        return normalize(torch.stack(rows), dim=-1).cpu().numpy()

    return vectors


def halved_layer(rgba: Tensor) -> Tensor:
    """Straight RGBA at half its size, its colour weighted by its alpha."""
    # A trace of weight is left for what is transparent, so that hidden colour stays smooth.
    weight = rgba[:, 3:].clamp_min(2.0**-12)
    small = halved(torch.cat([rgba[:, :3] * weight, weight, rgba[:, 3:]], dim=1))
    return torch.cat([small[:, :3] / small[:, 3:4], small[:, 4:]], dim=1)


def halved(pictures: Tensor) -> Tensor:
    """[B, C, H, W] at half its size; sides that are odd are continued by a pixel."""
    height, width = pictures.shape[-2:]
    return avg_pool2d(pad(pictures, (0, width % 2, 0, height % 2), mode="replicate"), ENLARGED)


def doubled_layer(rgba: Tensor) -> Tensor:
    """Straight RGBA [B, 4, H, W] in [0, 1] at twice its size, its colour weighted by its alpha."""
    weight = rgba[:, 3:].clamp_min(2.0**-8)
    large = _doubled(torch.cat([rgba[:, :3] * weight, weight, rgba[:, 3:]], dim=1))
    colour = (large[:, :3] / large[:, 3:4].clamp_min(2.0**-8)).clamp(0, 1)
    return torch.cat([colour, large[:, 4:]], dim=1)


def firmed(rgba: Tensor) -> Tensor:
    """A layer [B, 4, H, W] whose outline, softened by the decoder, is as sharp as a drawing's.

    Alpha is made steeper only where nothing becomes all within a few pixels; veils, glows and
    shadows stay as they are. Nothing is moved: the outline lies where it lay.
    """
    alpha = rgba[:, 3:]
    most, least = _largest_near(alpha), -_largest_near(-alpha)
    outline = ((most - least - 0.6) / 0.3).clamp(0, 1)
    middle = (most + least) / 2
    steep = torch.clamp((alpha - middle) * STEEPER + middle, least, most)
    return torch.cat([rgba[:, :3], torch.lerp(alpha, steep, outline)], dim=1)


def _largest_near(alpha: Tensor) -> Tensor:
    """The largest of each square of `OUTLINE` pixels, along one axis after the other."""
    reach = OUTLINE // 2
    beyond = pad(alpha.contiguous(), (reach, reach, reach, reach), value=-torch.inf)
    return _largest_of_each(_largest_of_each(beyond, -1), -2)


def _largest_of_each(values: Tensor, axis: int) -> Tensor:
    """The largest of every `OUTLINE` neighbours along an axis: many times faster than pooling."""
    reach, rest = 1, values.shape[axis]
    while reach < OUTLINE:
        step = min(reach, OUTLINE - reach)
        rest -= step
        values = torch.maximum(values.narrow(axis, 0, rest), values.narrow(axis, step, rest))
        reach += step
    return values


def _doubled(pictures: Tensor) -> Tensor:
    """[B, C, H, W] in [0, 1] at twice its size."""
    large = interpolate(pictures, scale_factor=float(ENLARGED), mode="bicubic")
    return large.clamp(0, 1)
