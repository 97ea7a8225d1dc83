"""ControlNet: a second network that reads a control image and steers the denoiser by it.

It works on the noisy latent alone, whatever patch or style is in the denoiser, and keeps working
when the patch is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from torch import Tensor, nn

from acetate.adapters.control_fit import check_fit
from acetate.adapters.followed import Evaluation, Followed
from acetate.adapters.patch import PatchMismatch
from acetate.models.unet_names import ldm_names
from acetate.models.weights import read_weights

_ORIGINAL = ("input_hint_block.0.weight", "control_model.input_hint_block.0.weight")
_ENTRY = "controlnet_cond_embedding.conv_in.weight"
_LAST = "controlnet_cond_embedding.conv_out.weight"


@dataclass(frozen=True)
class Following(Followed):
    """A control network with the image [1, 3, H, W] in [0, 1] that it reads.

    `end` is the share of the noise levels after which it is followed no more.
    """

    network: ControlNetModel
    image: Tensor
    strength: float
    end: float = 1.0

    def residuals(self, at: Evaluation) -> dict[str, Any]:
        """See `Followed.residuals`."""
        down, middle = self.network(
            at.latent,
            at.timestep,
            at.tokens,
            controlnet_cond=self.image.expand(len(at.latent), -1, -1, -1),
            conditioning_scale=self.strength,
            added_cond_kwargs=at.added,
            return_dict=False,
        )
        return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def load_control(
    path: Path, denoiser: Any, device: torch.device, dtype: torch.dtype
) -> ControlNetModel:
    """A ControlNet from one file, in diffusers' names or the first code's.

    Its make follows from the denoiser, of which it is half a copy. Raises PatchMismatch naming the
    first tensor that does not fit.
    """
    file = read_weights(path)
    with torch.device("meta"):
        network = ControlNetModel.from_unet(
            denoiser,
            controlnet_conditioning_channel_order="rgb",
            conditioning_embedding_out_channels=hint_widths(file, path.name),
            load_weights_from_unet=False,
        )
    if any(name in file for name in _ORIGINAL):
        file = _renamed(file, network.state_dict())
    check_fit(file, network.state_dict(), path.name)
    network.load_state_dict(file, assign=True)
    # Past diffusers' own `to`, which warns of precautions that only its loader takes.
    nn.Module.to(network.requires_grad_(False).eval(), device, dtype)
    return network


def hint_widths(file: dict[str, Tensor], name: str) -> tuple[int, ...]:
    """Channels of the small network that reads the control image, level by level.

    Raises PatchMismatch where it is not whole.
    """
    keys = _hint_keys(file)
    if not keys:
        raise PatchMismatch(f"{name} is no control network that Acetate can use.")
    for key in keys:
        if key not in file or file[key].dim() < 1:
            raise PatchMismatch(f"The control network {name} is incomplete: it lacks {key}.")
    return tuple(file[key].shape[0] for key in keys)


def _hint_keys(file: dict[str, Tensor]) -> list[str]:
    """The tensors that tell of each level; none in a file that is no control network."""
    for prefix in ("", "control_model."):
        if f"{prefix}input_hint_block.0.weight" in file:
            return [f"{prefix}input_hint_block.{place}.weight" for place in range(0, 14, 4)]
    if _ENTRY not in file or _LAST not in file:
        return []
    blocks = sum(
        key.startswith("controlnet_cond_embedding.blocks.") and key.endswith(".weight")
        for key in file
    )
    evens = [f"controlnet_cond_embedding.blocks.{index}.weight" for index in range(1, blocks, 2)]
    return [_ENTRY, *evens]


def _renamed(file: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Diffusers' names for those of the first code; diffusers' own converter forgets SDXL's sizes.

    What has no counterpart keeps its name.
    """
    names = ldm_names(expected)
    for name in expected:
        place, _, kind = name.rpartition(".")
        stem, _, number = place.rpartition(".")
        if stem == "controlnet_down_blocks":
            names[f"zero_convs.{number}.0.{kind}"] = name
        elif place == "controlnet_mid_block":
            names[f"middle_block_out.0.{kind}"] = name
        elif stem == "controlnet_cond_embedding.blocks":
            names[f"input_hint_block.{2 * int(number) + 2}.{kind}"] = name
        elif stem == "controlnet_cond_embedding":
            names[f"input_hint_block.{0 if number == 'conv_in' else 14}.{kind}"] = name
    plain = {key.removeprefix("control_model."): tensor for key, tensor in file.items()}
    return {names.get(key, key): tensor for key, tensor in plain.items()}
