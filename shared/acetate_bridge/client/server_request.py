"""One question over HTTP to the server of this machine, which first proves what it knows."""

from __future__ import annotations

import http.client
from typing import Any, cast

from acetate_bridge.client.discovery import Runtime
from acetate_bridge.protocol.json_text import read_json
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


class NoAnswer(OSError):
    """There was none that could be used; the text is a sentence."""


def ask_server(runtime: Runtime, method: str, path: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer. Blocks; raises NoAnswer.

    It is asked of the server itself, never through a proxy, and only after that one has proven
    that it knows the token.
    """
    connection = http.client.HTTPConnection(runtime.host, runtime.port, timeout=_SECONDS)
    try:
        status, body = _ask(connection, runtime, method, path)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, NoAnswer):
            raise
        raise NoAnswer("The server does not answer.") from error
    finally:
        connection.close()
    return status, json_object(body)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; an empty one for anything else."""
    try:
        found: Any = read_json(body)
    except ValueError:
        found = None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _ask(
    connection: http.client.HTTPConnection, runtime: Runtime, method: str, path: str
) -> tuple[int, bytes]:
    challenge = new_challenge()
    connection.request(method, path, headers={CHALLENGE_HEADER: challenge})
    answer = connection.getresponse()
    answer.read(_MOST_BYTES)
    demand = read_demand(answer.headers.get_all("WWW-Authenticate") or [])
    if demand is None or not same(demand[1], server_proof(runtime.token, challenge, demand[0])):
        raise NoAnswer("What answers there is not the server that was started here.")
    proof = client_proof(runtime.token, challenge, demand[0])
    headers = {"Authorization": credentials(challenge, demand[0], proof)}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(_MOST_BYTES)
