"""Networks that came as TorchScript: nothing of a library is needed to run them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from acetate.errors import BadRequest
from acetate.evaluation.fidelity import Distance


def network_in(path: Path) -> Callable[..., Tensor]:
    """The network in a file. It and this raise BadRequest."""
    try:
        with warnings.catch_warnings():
            # Torch would rather have another format, in which nobody publishes these networks.
            warnings.simplefilter("ignore", DeprecationWarning)
            network: Any = cast("Any", torch.jit).load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise BadRequest(f"{path} is no TorchScript network.") from error

    def told(*pictures: Tensor) -> Tensor:
        try:
            found = network(*pictures)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1][:160]
            raise BadRequest(f"{path} does not take such pictures: {reason}") from error
        if not isinstance(found, Tensor):
            raise BadRequest(f"{path} answers with something else than one tensor.")
        return found

    return told


def distance_in(path: Path) -> Distance:
    """LPIPS from a file. Raises BadRequest."""
    network = network_in(path)
    return torch.inference_mode()(lambda first, second: network(first, second))
