"""Starting the server under its name of 0.1, for scripts: see `client.launcher`."""

from __future__ import annotations

from acetate_bridge.client.launcher import last_words, start_server

__all__ = ["last_words", "start_server"]
