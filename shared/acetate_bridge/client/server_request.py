"""One question over HTTP to a server, which first proves what it knows."""

from __future__ import annotations

import http.client
import ssl
from typing import Any, cast
from urllib.parse import urlsplit

from acetate_bridge.client.address import Target, session_of
from acetate_bridge.client.discovery import Runtime
from acetate_bridge.client.shared_servers import pinned
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
_MOST_BYTES = 2**20


class NoAnswer(OSError):
    """There was none that could be used; the text is a sentence."""


def ask_server(runtime: Runtime, method: str, path: str) -> tuple[int, dict[str, Any]]:
    """What `ask_target` does, for the server of this machine."""
    return ask_target(Target(session_of(runtime), runtime.token), method, path)


def ask_target(
    target: Target, method: str, path: str, seconds: float = _SECONDS
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer. Blocks; raises NoAnswer.

    It is asked of the server itself, never through a proxy, and only after that one has proven
    that it knows the token.
    """
    connection = _connection(target, seconds)
    try:
        status, body = _ask(connection, target.token, method, path)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, NoAnswer):
            raise
        raise NoAnswer("The server does not answer.") from error
    finally:
        connection.close()
    return status, json_object(body)


def _connection(target: Target, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme != "wss":
        return http.client.HTTPConnection(host, port, timeout=seconds)
    context = pinned(target.certificate) if target.certificate else ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; an empty one for anything else."""
    try:
        found: Any = read_json(body)
    except ValueError:
        found = None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _ask(
    connection: http.client.HTTPConnection, token: str, method: str, path: str
) -> tuple[int, bytes]:
    challenge = new_challenge()
    connection.request(method, path, headers={CHALLENGE_HEADER: challenge})
    answer = connection.getresponse()
    answer.read(_MOST_BYTES)
    demand = read_demand(answer.headers.get_all("WWW-Authenticate") or [])
    if demand is None or not same(demand[1], server_proof(token, challenge, demand[0])):
        raise NoAnswer("What answers there is not the server that was started here.")
    proof = client_proof(token, challenge, demand[0])
    headers = {"Authorization": credentials(challenge, demand[0], proof)}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(_MOST_BYTES)
