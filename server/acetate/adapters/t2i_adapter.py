"""T2I adapters: a small network that reads a control image once, and adds what it saw at each step.

Mou et al. 2023 (arXiv 2302.08453). Of the noise it sees nothing, so it costs next to no time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.adapter import T2IAdapter
from torch import Tensor, nn

from acetate.adapters.control_fit import check_fit
from acetate.adapters.followed import Evaluation, Followed
from acetate.adapters.patch import PatchMismatch
from acetate.models.families import FAMILIES
from acetate.models.t2i_names import T2IForm, t2i_names

_BLOCK = re.compile(r"adapter\.body\.0\.resnets\.\d+\.block1\.weight")
_LEVELS_OF = {"sd15": 4, "sdxl": 3}
"""Of the denoiser. That of SDXL has a fourth feature added in its middle."""
_LEVELS = "down_intrablock_additional_residuals"


@dataclass(frozen=True)
class FollowedFeatures(Followed):
    """What a T2I adapter saw in an image, [1, C, h, w] for each level of the denoiser."""

    features: Sequence[Tensor]
    strength: float
    end: float = 1.0

    def residuals(self, at: Evaluation) -> dict[str, Any]:
        """See `Followed.residuals`."""
        count = len(at.latent)
        return {_LEVELS: [self.strength * one.expand(count, -1, -1, -1) for one in self.features]}


@torch.inference_mode()
def seen_by_adapter(network: T2IAdapter, image: Tensor) -> list[Tensor]:
    """Its features of an image [1, 3, H, W] in [0, 1]; some read it in grey."""
    weight = next(network.parameters())
    folded = network.downscale_factor**2
    grey = weight.shape[1] == folded
    seen = image.mean(dim=1, keepdim=True) if grey else image
    return network(seen.to(weight))


def load_t2i(
    file: dict[str, Tensor],
    form: T2IForm,
    denoiser: Any,
    name: str,
    device: torch.device,
    dtype: torch.dtype,
) -> T2IAdapter:
    """The network of a file's tensors. Raises PatchMismatch naming the first that does not fit."""
    names = t2i_names(file)
    state = {names[key]: tensor for key, tensor in file.items()}
    outs = _widths(state, form)
    widths = list(denoiser.config["block_out_channels"])
    if len(widths) != _LEVELS_OF[form.family] or outs != [*widths, widths[-1]][: len(outs)]:
        raise PatchMismatch(
            f"The control network {name} does not fit this model: it is a T2I adapter for "
            f"{FAMILIES[form.family].label} and adds {', '.join(map(str, outs))} channels, where "
            f"the model's levels have {', '.join(map(str, widths))}."
        )
    kind = "full_adapter_xl" if form.family == "sdxl" else "full_adapter"
    with torch.device("meta"):
        network = T2IAdapter(
            in_channels=form.channels,
            channels=outs[:-1] if form.light else outs,
            num_res_blocks=len({key for key in state if _BLOCK.fullmatch(key)}),
            downscale_factor=form.folded,
            adapter_type="light_adapter" if form.light else kind,
        )
    check_fit(state, network.state_dict(), name)
    network.load_state_dict(state, assign=True)
    nn.Module.to(network.requires_grad_(False).eval(), device, dtype)
    return network


def _widths(state: dict[str, Tensor], form: T2IForm) -> list[int]:
    """Channels of its features, level by level."""
    last = "out_conv.weight" if form.light else "resnets.0.block1.weight"
    found: list[int] = []
    while (key := f"adapter.body.{len(found)}.{last}") in state:
        found.append(state[key].shape[0])
    return found
