"""Before anything is shown to a server: does it know the token?"""

from __future__ import annotations

from typing import Any

from acetate_bridge.client.address import Target
from acetate_bridge.client.shared_servers import pinned
from acetate_bridge.client.websocket import InvalidStatus, connect
from acetate_bridge.protocol.proof import (
    CHALLENGE_HEADER,
    client_proof,
    credentials,
    new_challenge,
    read_demand,
    same,
    server_proof,
)


class NotProven(Exception):
    """What answers does not show that it knows the token; nothing was said to it."""


class WrongToken(Exception):
    """The server knows another token."""


class Opening(connect):
    """A connection that follows no redirection: it would lead to where nobody was asked."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Let the redirection be the error that it is."""
        return exc


async def prove(target: Target, timeout: float) -> dict[str, str]:
    """Headers that open a session, once the server has shown that it knows the token.

    Raises NotProven, WrongToken, and what connecting raises.
    """
    challenge = new_challenge()
    try:
        async with opening(target, {CHALLENGE_HEADER: challenge}, timeout):
            raise NotProven("it asks for no token")
    except InvalidStatus as error:
        if error.response.status_code != 401:
            raise
        demand = read_demand(error.response.headers.get_all("WWW-Authenticate"))
    if demand is None:
        raise NotProven("it does not show that it knows the token")
    nonce, proof = demand
    if not target.token or not same(proof, server_proof(target.token, challenge, nonce)):
        raise WrongToken
    answer = client_proof(target.token, challenge, nonce)
    return {"Authorization": credentials(challenge, nonce, answer)}


def opening(target: Target, headers: dict[str, str], timeout: float, **options: Any) -> Opening:
    """A connection to be entered with `async with`; `timeout` seconds until it stands."""
    if target.certificate:
        options["ssl"] = pinned(target.certificate)
    return Opening(
        target.url,
        additional_headers=headers,
        compression=None,
        proxy=None,
        open_timeout=timeout,
        close_timeout=2,
        **options,
    )
