"""The bridge between an editor and the Acetate server: one protocol, one client.

Nothing here knows an editor, a toolkit or a tensor; only `websockets` is needed beside Python.
What stands here is imported when it is first used, so that whoever needs a recipe alone does not
wait for sockets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acetate_bridge.client.client import Client
    from acetate_bridge.client.connection_state import Connection, State
    from acetate_bridge.protocol.frame_planning import Frame, FrameLimits, plan_frame
    from acetate_bridge.protocol.geometry import Rect, Size
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
    from acetate_bridge.protocol.types import (
        Control,
        Image,
        Layer,
        PixelFormat,
        Recipe,
        Request,
        Role,
    )

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

_PLACES = {
    "client.client": ("Client",),
    "client.connection_state": ("Connection", "State"),
    "protocol.frame_planning": ("Frame", "FrameLimits", "plan_frame"),
    "protocol.geometry": ("Rect", "Size"),
    "protocol.types": ("Control", "Image", "Layer", "PixelFormat", "Recipe", "Request", "Role"),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from the module where it is written."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = _PLACE_OF.get(name, "protocol.messages")
    return getattr(import_module(f"{__name__}.{place}"), name)
