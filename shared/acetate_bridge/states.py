"""The states of a client under their name of 0.1, for scripts: see `client.connection_state`."""

from __future__ import annotations

from acetate_bridge.client.connection_state import Connection, State

__all__ = ["Connection", "State"]
