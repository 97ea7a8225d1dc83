"""Finding, starting and talking to the server. Knows no editor."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acetate_bridge.client.client import Client

__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    """The client, which brings asyncio and sockets, when it is first used."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.client"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
