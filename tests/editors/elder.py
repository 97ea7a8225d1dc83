"""A server that knows the token and speaks a protocol that plug-ins know no more."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from acetate_bridge.protocol.proof import CHALLENGE_HEADER, demand, new_challenge, server_proof

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
def elder_server(token: str) -> Iterator[int]:
    """Runs for the block; its port."""

    def prove(connection: ServerConnection, request: Request) -> Response | None:
        if (challenge := request.headers.get(CHALLENGE_HEADER)) is None:
            return None
        nonce = new_challenge()
        proof = demand(nonce, server_proof(token, challenge, nonce))
        return Response(401, "Unauthorized", Headers({"WWW-Authenticate": proof}))

    def welcome(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(json.dumps(_WELCOME))
        connection.close()

    with serve(welcome, "127.0.0.1", 0, process_request=prove) as elder:
        thread = threading.Thread(target=elder.serve_forever)
        thread.start()
        try:
            yield elder.socket.getsockname()[1]
        finally:
            elder.shutdown()
            thread.join()
