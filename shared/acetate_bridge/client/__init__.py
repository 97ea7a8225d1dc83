"""Finding, starting and talking to the server. Knows no editor."""

from __future__ import annotations

from acetate_bridge.client.client import Client

__all__ = ["Client"]
