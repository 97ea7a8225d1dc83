"""What travels between a client and the server: values, messages, bytes. Knows no socket."""

from __future__ import annotations

from acetate_bridge.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    Event,
    Failed,
    LayerReady,
    ModeInfo,
    ModelInfo,
    Models,
    Preview,
    Progress,
)

__all__ = [
    "Accepted",
    "Cancelled",
    "Done",
    "Event",
    "Failed",
    "LayerReady",
    "ModeInfo",
    "ModelInfo",
    "Models",
    "Preview",
    "Progress",
]
