"""What a control image is followed with: a ControlNet of one kind or several, or a T2I adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acetate.adapters.control_union import UnionFollowing, load_union, union_number
from acetate.adapters.controlnet import Following, load_control
from acetate.adapters.followed import Followed
from acetate.adapters.t2i_adapter import FollowedFeatures, load_t2i, seen_by_adapter
from acetate.models.control_kinds import union_kinds
from acetate.models.t2i_names import t2i_form
from acetate.models.weights import read_weights

At = tuple[torch.device, torch.dtype]


def followed_by(
    path: Path, denoiser: Any, image: Tensor, strength: float, end: float, kind: str, at: At
) -> Followed:
    """The image [1, 3, H, W] in [0, 1], to be followed with the network of a file on a device.

    `kind` tells a network that follows several what the image shows. Raises PatchMismatch where
    the network does not fit the denoiser, or does not follow that kind.
    """
    device, dtype = at
    file = read_weights(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in file.items()}
    if union_kinds(shapes):
        number = union_number(kind, file, path.name)
        union = load_union(file, denoiser, path.name, at)
        return UnionFollowing(union, number, image.to(device, dtype), strength, end)
    form = t2i_form(shapes)
    if form is None:
        network = load_control(path, denoiser, device, dtype)
        return Following(network, image.to(device, dtype), strength, end)
    adapter = load_t2i(file, form, denoiser, path.name, device, dtype)
    return FollowedFeatures(seen_by_adapter(adapter, image.to(device)), strength, end)
