"""The address that opens the local page signed in, asked of the running server."""

from __future__ import annotations

import http.client
import json

from acetate_bridge.client.discovery import Runtime
from acetate_bridge.protocol.proof import (
    CHALLENGE_HEADER,
    client_proof,
    credentials,
    new_challenge,
    read_demand,
    same,
    server_proof,
)

_SECONDS = 10.0
_MOST_BYTES = 65536
_PATH = "/v1/links"


class NoPageLink(OSError):
    """The server gave no link; the text is a sentence."""


def page_link(runtime: Runtime) -> str:
    """An address that is good for one use within a minute. Blocks; raises NoPageLink.

    It is asked of the server itself, never through a proxy, and only after that one has proven
    that it knows the token.
    """
    connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=_SECONDS)
    try:
        status, body = _ask(connection, runtime)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, NoPageLink):
            raise
        raise NoPageLink("The server does not answer.") from error
    finally:
        connection.close()
    try:
        path = json.loads(body)["path"]
    except (ValueError, KeyError, TypeError):
        path = None
    if status != 201 or not isinstance(path, str) or not path.startswith("/"):
        raise NoPageLink("The server has no page that opens signed in: it may be an older one.")
    return f"http://{runtime.address}{path}"


def _ask(connection: http.client.HTTPConnection, runtime: Runtime) -> tuple[int, bytes]:
    challenge = new_challenge()
    connection.request("POST", _PATH, headers={CHALLENGE_HEADER: challenge})
    answer = connection.getresponse()
    answer.read(_MOST_BYTES)
    demand = read_demand(answer.headers.get_all("WWW-Authenticate") or [])
    if demand is None or not same(demand[1], server_proof(runtime.token, challenge, demand[0])):
        raise NoPageLink("What answers there is not the server that was started here.")
    proof = client_proof(runtime.token, challenge, demand[0])
    headers = {"Authorization": credentials(challenge, demand[0], proof)}
    connection.request("POST", _PATH, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(_MOST_BYTES)
