"""The map that a control network reads, from a layer that is one or from an ordinary picture."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.errors import BadRequest
from acetate.latent_transparency import composite_over
from acetate_bridge.protocol.types import ControlKind

_SKETCHES = ("scribble", "lineart")


def control_map(rgba: Tensor, kind: ControlKind, derived: bool) -> Tensor:
    """Straight [B, 4, H, W] in [0, 1] to the map [B, 3, H, W] of that kind.

    A layer that is the map already lies on black, which means "nothing here" in every kind. From a
    sketch in dark strokes on white or on nothing come light strokes on black; from a picture, its
    edges (Canny 1986), or how steep it is everywhere (Sobel), and a tile is the picture itself.
    Raises BadRequest for depth, pose and segments, for which there is no detector here.
    """
    if not derived:
        return composite_over(rgba, torch.zeros_like(rgba[:, :3]))
    on_white = composite_over(rgba, torch.ones_like(rgba[:, :3]))
    if kind in _SKETCHES:
        return 1 - _grey(on_white).expand(-1, 3, -1, -1)
    if kind == "canny":
        from kornia.filters import canny

        _, edges = canny(_grey(on_white), low_threshold=0.1, high_threshold=0.2)
        return edges.expand(-1, 3, -1, -1)
    if kind == "softedge":
        from kornia.filters import sobel

        steep = sobel(_grey(on_white), normalized=True)
        strongest = steep.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
        return (steep / strongest).clamp(0, 1).expand(-1, 3, -1, -1)
    if kind == "tile":
        return on_white
    raise BadRequest(
        f"There is no detector for {kind} here: give the {kind} map itself as the control image."
    )


def _grey(rgb: Tensor) -> Tensor:
    weights = rgb.new_tensor([0.299, 0.587, 0.114])[:, None, None]
    return (rgb * weights).sum(dim=1, keepdim=True)
