"""The WebSocket library: a plug-in's copy under a name of our own, or an installed one.

Editors run many plug-ins in one Python. Another's older `websockets`, imported first, would be
ours too if the names were the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.asyncio.compatibility import asyncio_timeout as time_limit
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
else:
    try:
        from acetate_websockets.asyncio.client import ClientConnection, connect
        from acetate_websockets.asyncio.compatibility import asyncio_timeout as time_limit
        from acetate_websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
    except ImportError:
        from websockets.asyncio.client import ClientConnection, connect
        from websockets.asyncio.compatibility import asyncio_timeout as time_limit
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

__all__ = [
    "ClientConnection",
    "ConnectionClosed",
    "InvalidHandshake",
    "InvalidStatus",
    "connect",
    "time_limit",
]
