"""The values of a request under their name of 0.1, for scripts: see `protocol.types`."""

from __future__ import annotations

from acetate_bridge.protocol.types import Control, Image, Layer, PixelFormat, Recipe, Request, Role

__all__ = ["Control", "Image", "Layer", "PixelFormat", "Recipe", "Request", "Role"]
