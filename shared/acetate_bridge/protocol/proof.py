"""How client and server show each other that they know the token, without sending it.

The client sends a challenge, the server answers 401 with a nonce and its proof over both; once
that is right, the client comes back with a proof of its own. Whoever has merely taken the port of
a server that has ended can show nothing, and learns nothing that opens the next one.

    GET /v1/session          Acetate-Challenge: CHALLENGE
    401                      WWW-Authenticate: Acetate nonce="NONCE", proof="HMAC"
    GET /v1/session          Authorization: Acetate challenge="…", nonce="…", proof="HMAC"
    101
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

CHALLENGE_HEADER = "Acetate-Challenge"
SCHEME = "Acetate"

_CHALLENGE = re.compile(r"[0-9a-f]{32,128}")
_FIELD = re.compile(r'(\w{1,20})="([\w.=-]{1,300})"', re.ASCII)
_LONGEST = 1000


def new_challenge() -> str:
    """Something that nobody has answered before."""
    return secrets.token_hex(32)


def is_challenge(text: str) -> bool:
    """Whether a text can be a challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def server_proof(token: str, challenge: str, nonce: str) -> str:
    """What only a server with this token can answer."""
    return _proof(token, "server", challenge, nonce)


def client_proof(token: str, challenge: str, nonce: str) -> str:
    """What only a client with this token can answer."""
    return _proof(token, "client", challenge, nonce)


def same(one: str, other: str) -> bool:
    """Whether two proofs are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def demand(nonce: str, proof: str) -> str:
    """The `WWW-Authenticate` header of a server."""
    return f'{SCHEME} nonce="{nonce}", proof="{proof}"'


def credentials(challenge: str, nonce: str, proof: str) -> str:
    """The `Authorization` header of a client."""
    return f'{SCHEME} challenge="{challenge}", nonce="{nonce}", proof="{proof}"'


def fields(header: str) -> dict[str, str]:
    """The fields of either header; none for another scheme."""
    if len(header) > _LONGEST or not header.startswith(f"{SCHEME} "):
        return {}
    return dict(_FIELD.findall(header))


def read_demand(headers: Iterable[str]) -> tuple[str, str] | None:
    """Nonce and proof in the `WWW-Authenticate` headers of a server, if it gives them."""
    for header in headers:
        found = fields(header)
        if "nonce" in found and "proof" in found:
            return found["nonce"], found["proof"]
    return None


def _proof(token: str, side: str, challenge: str, nonce: str) -> str:
    text = "\0".join(("acetate", side, challenge, nonce))
    return hmac.new(token.encode("utf-8", "replace"), text.encode(), hashlib.sha256).hexdigest()
