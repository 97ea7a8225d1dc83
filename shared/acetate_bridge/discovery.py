"""Where the server is, under its name of 0.1, for scripts: see `client.discovery`."""

from __future__ import annotations

from acetate_bridge.client.discovery import read_runtime

__all__ = ["read_runtime"]
