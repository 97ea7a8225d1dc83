"""A server of long ago, which speaks a protocol that plug-ins know no more."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator

from websockets.sync.server import ServerConnection, serve

_LIMITS = (
    *("message_bytes", "image_pixels", "queued_jobs", "variants", "steps", "side"),
    "prompt_characters",
)
_WELCOME = {
    "type": "welcome",
    "server": "acetate 0",
    "protocol": 0,
    "store": "s",
    "models": [],
    "modes": [],
    "limits": dict.fromkeys(_LIMITS, 1),
}


@contextlib.contextmanager
def elder_server() -> Iterator[int]:
    """Runs for the block; its port."""

    def welcome(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(json.dumps(_WELCOME))
        connection.close()

    with serve(welcome, "127.0.0.1", 0) as elder:
        thread = threading.Thread(target=elder.serve_forever)
        thread.start()
        try:
            yield elder.socket.getsockname()[1]
        finally:
            elder.shutdown()
            thread.join()
