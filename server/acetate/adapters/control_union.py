"""Union control networks: one ControlNet that is told with each image of what kind it is.

xinsir's ControlNet++ for SDXL, diffusers' `ControlNetUnionModel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.controlnets.controlnet_union import ControlNetUnionModel
from torch import Tensor, nn

from acetate.adapters.control_fit import check_fit
from acetate.adapters.controlnet import hint_widths
from acetate.adapters.followed import Evaluation, Followed
from acetate.adapters.patch import PatchMismatch
from acetate.models.control_kinds import TASKS, UNION_NUMBERS


@dataclass(frozen=True)
class UnionFollowing(Followed):
    """A union control network with the image [1, 3, H, W] in [0, 1] of the kind with a number.

    `end` is the share of the noise levels after which it is followed no more.
    """

    network: ControlNetUnionModel
    number: int
    image: Tensor
    strength: float
    end: float = 1.0

    def residuals(self, at: Evaluation) -> dict[str, Any]:
        """See `Followed.residuals`."""
        count = len(at.latent)
        kinds = torch.zeros(count, len(self.network.task_embedding)).to(at.latent)
        kinds[:, self.number] = 1
        down, middle = self.network(
            at.latent,
            at.timestep,
            at.tokens,
            controlnet_cond=[self.image.expand(count, -1, -1, -1)],
            control_type=kinds,
            control_type_idx=[self.number],
            conditioning_scale=float(self.strength),
            added_cond_kwargs=at.added,
            return_dict=False,
        )
        return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def load_union(
    file: dict[str, Tensor], denoiser: Any, name: str, at: tuple[torch.device, torch.dtype]
) -> ControlNetUnionModel:
    """The network of a file's tensors. Raises PatchMismatch naming the first that does not fit."""
    kind: Any = ControlNetUnionModel
    tasks, channels = file[TASKS].shape
    layers = {key.split(".")[1] for key in file if key.startswith("transformer_layes.")}
    with torch.device("meta"):
        like = kind.from_unet(
            denoiser,
            conditioning_embedding_out_channels=hint_widths(file, name),
            load_weights_from_unet=False,
        )
        network = kind.from_config(
            like.config,
            num_control_type=tasks,
            num_trans_channel=channels,
            num_trans_layer=max(1, len(layers)),
            num_proj_channel=denoiser.config["block_out_channels"][0],
        )
    check_fit(file, network.state_dict(), name)
    network.load_state_dict(file, assign=True)
    nn.Module.to(network.requires_grad_(False).eval(), *at)
    return network


def union_number(kind: str, file: dict[str, Tensor], name: str) -> int:
    """Which of its kinds an image is of. Raises PatchMismatch for one that it does not know."""
    number = UNION_NUMBERS.get(kind, len(file[TASKS]))
    if number >= len(file[TASKS]):
        raise PatchMismatch(f"The control network {name} follows no {kind} image.")
    return number
