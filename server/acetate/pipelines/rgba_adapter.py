"""What an RGBA adapter brings to a pipeline: how layers are decoded, and what a LoRA changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl_qwenimage import (
    QwenImageCausalConv3d,
    QwenImageDecoder3d,
)
from diffusers.models.autoencoders.vae import Decoder
from torch import Tensor, nn

from acetate.adapters import WeightPatch
from acetate.adapters.flux_styles import flux_style
from acetate.adapters.lora import read_style
from acetate.errors import ModelDamaged
from acetate.models.files import MALFORMED, damaged
from acetate.models.identify import header_of
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.models.weights import read_weights
from acetate.pipelines.transparency import AlphaDecoder, AlphaKind, Transparency, WidenedAutoencoder

_NETWORKS = {"sd15": "unet", "sdxl": "unet"}
"""What a LoRA calls the denoiser of a family: for others, the transformer."""
_ALPHA: dict[str, AlphaKind] = {"premultiplied": "premultiplied"}


def transparency_of(adapter: RgbaAdapter, autoencoder: Any) -> Transparency:
    """How layers go in and out with that autoencoder. Raises ModelMissing, ModelDamaged."""
    alpha = _ALPHA.get(adapter.alpha, "straight")
    if adapter.decoder is None:
        return WidenedAutoencoder(alpha, [])
    weight = next(autoencoder.parameters())
    decoder = alpha_decoder(adapter.decoder, autoencoder.config).to(weight.device, weight.dtype)
    return AlphaDecoder(decoder, alpha)


def alpha_decoder(path: Path, config: Any) -> nn.Module:
    """The network in a file, built as the decoder of an autoencoder with that configuration.

    Raises ModelDamaged for one that is built otherwise.
    """
    found = read_weights(path)
    inside = {
        name.removeprefix("alpha_decoder.").removeprefix("decoder."): tensor
        for name, tensor in found.items()
    }
    after = {
        name.removeprefix("post_quant_conv."): inside.pop(name)
        for name in list(inside)
        if name.startswith("post_quant_conv.")
    }
    try:
        channels = inside["conv_out.weight"].shape[0]
        decoder, first = (
            _as_films(config, channels) if "z_dim" in config else _as_pictures(config, channels)
        )
        decoder.load_state_dict(inside)
        if after:
            first.load_state_dict(after)
    except (*MALFORMED, RuntimeError) as error:
        raise ModelDamaged(
            f"{path.name} is a decoder of alpha that is built otherwise than the base's own "
            "decoder, which is the only kind that Acetate reads."
        ) from error
    network = nn.Sequential(first, decoder) if after else nn.Sequential(decoder)
    if "z_dim" in config:
        network = nn.Sequential(nn.Unflatten(1, (-1, 1)), network, nn.Flatten(1, 2))
    return network.eval().requires_grad_(False)


def _as_pictures(config: Any, channels: int) -> tuple[nn.Module, nn.Module]:
    """A decoder as that of an AutoencoderKL, and what may stand before it."""
    latent = config["latent_channels"]
    decoder = Decoder(
        in_channels=latent,
        out_channels=channels,
        up_block_types=tuple(config["up_block_types"]),
        block_out_channels=tuple(
            config.get("decoder_block_out_channels") or config["block_out_channels"]
        ),
        layers_per_block=config["layers_per_block"],
        norm_num_groups=config["norm_num_groups"],
        act_fn=config["act_fn"],
        mid_block_add_attention=config.get("mid_block_add_attention", True),
    )
    return decoder, nn.Conv2d(latent, latent, 1)


def _as_films(config: Any, channels: int) -> tuple[nn.Module, nn.Module]:
    """The same of an AutoencoderKLQwenImage, which decodes films."""
    latent = config["z_dim"]
    decoder = QwenImageDecoder3d(
        config["base_dim"],
        latent,
        config["dim_mult"],
        config["num_res_blocks"],
        config["attn_scales"],
        config["temperal_downsample"][::-1],
        config["dropout"],
        channels,
    )
    return decoder, QwenImageCausalConv3d(latent, latent, 1)


def lora_of(adapter: RgbaAdapter | None, denoiser: nn.Module) -> WeightPatch | None:
    """What the denoiser learnt, if anything. Raises PatchMismatch, ModelMissing, ModelDamaged."""
    if adapter is None or adapter.lora is None:
        return None
    path = adapter.lora
    network = _NETWORKS.get(adapter.family, "transformer")
    file: dict[str, Tensor] = read_weights(path)
    if not file:
        raise damaged(path)
    if adapter.family == "flux":
        file = flux_style(file, path.name)
    changes = read_style(file, {network: denoiser}, path.name, header_of(path))
    return WeightPatch(changes[network])
