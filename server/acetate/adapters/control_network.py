"""What a control image is followed with: a ControlNet or a T2I adapter, as the file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acetate.adapters.controlnet import Following, load_control
from acetate.adapters.t2i_adapter import FollowedFeatures, load_t2i, seen_by_adapter
from acetate.models.t2i_names import t2i_form
from acetate.models.weights import read_weights

Followed = Following | FollowedFeatures
At = tuple[torch.device, torch.dtype]


def followed_by(
    path: Path, denoiser: Any, image: Tensor, strength: float, end: float, at: At
) -> Followed:
    """The image [1, 3, H, W] in [0, 1], to be followed with the network of a file on a device.

    Raises PatchMismatch where the network does not fit the denoiser.
    """
    device, dtype = at
    file = read_weights(path)
    form = t2i_form({name: tuple(tensor.shape) for name, tensor in file.items()})
    if form is None:
        network = load_control(path, denoiser, device, dtype)
        return Following(network, image.to(device, dtype), strength, end)
    adapter = load_t2i(file, form, denoiser, path.name, device, dtype)
    return FollowedFeatures(seen_by_adapter(adapter, image.to(device)), strength, end)
