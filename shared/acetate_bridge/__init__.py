"""The bridge between an editor and the Acetate server: one protocol, one client.

Nothing here knows an editor, a toolkit or a tensor; only `websockets` is needed beside Python.
"""

from __future__ import annotations

from acetate_bridge.client.client import Client
from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.protocol.geometry import Frame, FrameLimits, Rect, Size, plan_frame
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
from acetate_bridge.protocol.types import Control, Image, Layer, PixelFormat, Recipe, Request, Role

__all__ = [
    "Accepted",
    "Cancelled",
    "Client",
    "Connection",
    "Control",
    "Done",
    "Event",
    "Failed",
    "Frame",
    "FrameLimits",
    "Image",
    "Layer",
    "LayerReady",
    "ModeInfo",
    "ModelInfo",
    "Models",
    "PixelFormat",
    "Preview",
    "Progress",
    "Recipe",
    "Rect",
    "Request",
    "Role",
    "Size",
    "State",
    "plan_frame",
]
