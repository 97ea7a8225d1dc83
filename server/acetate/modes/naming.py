"""Names that a painter recognises in a layer list: the editors' own."""

from __future__ import annotations

from acetate_bridge.protocol.naming import layer_name

__all__ = ["layer_name"]
