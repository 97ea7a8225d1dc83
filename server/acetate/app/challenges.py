"""The server's half of the proof: nonces that are good once, for a short while, and cost nothing.

A nonce carries its own seal, so none is stored before somebody has used it with a right proof:
strangers can ask for as many as they like.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from acetate_bridge.protocol.proof import (
    client_proof,
    demand,
    fields,
    is_challenge,
    same,
    server_proof,
)

_SECONDS = 60.0


class Challenges:
    """Gives nonces and judges what clients make of them."""

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = token
        self._clock = clock
        self._seal = secrets.token_bytes(32)
        self._used: dict[str, float] = {}

    def answer(self, challenge: str) -> str:
        """The `WWW-Authenticate` header that proves this server to the client; "" for nonsense."""
        if not is_challenge(challenge):
            return ""
        stem = f"{int(self._clock() * 1000):x}.{secrets.token_hex(16)}"
        nonce = f"{stem}.{self._sealed(stem, challenge)}"
        return demand(nonce, server_proof(self._token, challenge, nonce))

    def accepts(self, authorization: str) -> bool:
        """Whether an `Authorization` header proves that the client knows the token; once."""
        given = fields(authorization)
        challenge, nonce = given.get("challenge", ""), given.get("nonce", "")
        stem, _, seal = nonce.rpartition(".")
        if not is_challenge(challenge) or not same(seal, self._sealed(stem, challenge)):
            return False
        if not same(given.get("proof", ""), client_proof(self._token, challenge, nonce)):
            return False
        now = self._clock()
        issued = int(stem.partition(".")[0], 16) / 1000  # The seal says that it is a number.
        if now - issued > _SECONDS or nonce in self._used:
            return False
        self._used = {used: at for used, at in self._used.items() if now - at <= _SECONDS}
        self._used[nonce] = issued
        return True

    def _sealed(self, stem: str, challenge: str) -> str:
        return hmac.new(self._seal, f"{stem}\0{challenge}".encode(), hashlib.sha256).hexdigest()
