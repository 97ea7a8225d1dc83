"""Networks that came as TorchScript: nothing of a library is needed to run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch

from acetate.errors import BadRequest
from acetate.evaluation.fidelity import Distance


def network_in(path: Path) -> Any:
    """The network in a file. Raises BadRequest."""
    try:
        return cast("Any", torch.jit).load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise BadRequest(f"{path} is no TorchScript network.") from error


def distance_in(path: Path) -> Distance:
    """LPIPS from a file. Raises BadRequest."""
    network = network_in(path)
    return torch.inference_mode()(lambda first, second: network(first, second))
