"""The autoencoder of a checkpoint, or of a file of its own, whichever code named its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import torch
from diffusers.loaders import single_file_utils
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from acetate.models.files import MALFORMED
from acetate.pipelines.network_loading import Unfit, count_of, filled, of_todays_attention

SCALES = {"sd15": (0.18215, 0.0), "sdxl": (0.13025, 0.0), "flux": (0.3611, 0.1159)}
"""Scale and shift of a family's latents, which no tensor tells."""

_CONVERTERS = cast("Any", single_file_utils)  # They have no annotations.


def make_autoencoder(
    state: Mapping[str, Tensor], family: str, dtype: torch.dtype, device: torch.device
) -> AutoencoderKL:
    """From an autoencoder's tensors alone, without what stands before their names. Raises Unfit."""
    try:
        if any(".down_blocks." in name for name in state):
            config = _config(state, r"encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.", family)
            own = of_todays_attention(state)
        else:
            config = _config(state, r"encoder\.down\.(\d+)\.block\.(\d+)\.", family)
            whole = {f"first_stage_model.{name}": tensor for name, tensor in state.items()}
            own = of_todays_attention(_CONVERTERS.convert_ldm_vae_checkpoint(whole, config))
        return filled(lambda: AutoencoderKL(**config), own, dtype, device)
    except MALFORMED as error:
        raise Unfit(f"its autoencoder lacks {error}") from error


def _config(state: Mapping[str, Tensor], blocks: str, family: str) -> dict[str, Any]:
    """The arguments of the network with these tensors. Raises KeyError, ValueError."""
    places = [match for name in state if (match := re.match(blocks, name))]
    if not places:
        raise ValueError("its blocks")
    levels = count_of((int(match[1]) for match in places), state)
    layers = count_of((int(match[2]) for match in places if match[1] == "0"), state)
    first = [next(m[0] for m in places if m[1] == str(level)) for level in range(levels)]
    widths = [state[f"{re.sub(r'[0-9]+[.]$', '0.', name)}conv1.weight"].shape[0] for name in first]
    scale, shift = SCALES[family]
    quantised = "post_quant_conv.weight" in state
    config: dict[str, Any] = {
        "in_channels": state["encoder.conv_in.weight"].shape[1],
        "out_channels": state["decoder.conv_out.weight"].shape[0],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "block_out_channels": widths,
        "layers_per_block": layers,
        "latent_channels": state["decoder.conv_in.weight"].shape[1],
        "scaling_factor": scale,
        "use_quant_conv": quantised,
        "use_post_quant_conv": quantised,
        # Its own default is that of small pictures; nothing but tiling asks.
        "sample_size": 1024,
    }
    return config | ({"shift_factor": shift} if shift else {})
