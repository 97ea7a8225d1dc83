"""Who is let in: one table of checks, asked in order before anything else is looked at."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from acetate.app.challenges import Challenges
from acetate.app.responses import refusal
from acetate.app.sign_in_codes import SignIn
from acetate_bridge.protocol.proof import CHALLENGE_HEADER, SCHEME

KEYS_PATH = "/v1/page-keys"
PAIRINGS_PATH = "/v1/pairings"
_QUERY_SECRETS = {"token", "access_token", "authorization", "auth", "key"}


@dataclass(frozen=True)
class Gate:
    """What the checks compare with. `names` are host names; `port` is the one listened on.

    `shared` is for connections of other machines, which are encrypted: there a short code may be
    exchanged for the token, and any name will do, as no browser takes a name that was rebound for
    one with this certificate.
    """

    token: str = field(repr=False)
    port: int
    names: frozenset[str]
    any_address: bool = False
    challenges: Challenges | None = field(default=None, repr=False)
    sign_in: SignIn = field(default_factory=SignIn)
    shared: bool = False

    @property
    def origins(self) -> frozenset[str]:
        """Origins of our own page."""
        return frozenset(f"{self.scheme}://{name}:{self.port}" for name in self.names)

    @property
    def scheme(self) -> str:
        """How addresses of our own page begin."""
        return "https" if self.shared else "http"


@dataclass(frozen=True)
class Check:
    """One row of the table: True lets the request pass to the next row."""

    code: str
    status: int
    sentence: str
    passes: Callable[[web.Request, Gate], bool]


def _host_is_ours(request: web.Request, gate: Gate) -> bool:
    """A page on a name that was rebound to this machine still sends its own name (RFC 9110, 7.2).

    An address written as such cannot be rebound, so a server for others takes any address.
    """
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1:
        return False
    if gate.shared:
        return True
    name, port = _split_host(hosts[0])
    if port != str(gate.port):
        return False
    return name in gate.names or (gate.any_address and _is_address(name))


def _origin_is_ours(request: web.Request, gate: Gate) -> bool:
    """Programs send no Origin; a browser sends one with all that could change something."""
    origins = request.headers.getall(hdrs.ORIGIN, [])
    return not origins or (len(origins) == 1 and origins[0] in gate.origins | _own(request, gate))


def _own(request: web.Request, gate: Gate) -> frozenset[str]:
    """The origin that belongs to the Host of this request, which has passed its own check."""
    if not gate.any_address:
        return frozenset()
    return frozenset({f"{gate.scheme}://{request.headers[hdrs.HOST]}"})


def _site_is_ours(request: web.Request, gate: Gate) -> bool:
    sites = request.headers.getall("Sec-Fetch-Site", [])
    return all(site in ("none", "same-origin") for site in sites)


def _no_token_in_url(request: web.Request, gate: Gate) -> bool:
    """A URL ends up in histories and logs."""
    return not any(name.lower() in _QUERY_SECRETS for name in request.query) and (
        gate.token not in request.raw_path
    )


def _is_not_packed(request: web.Request, gate: Gate) -> bool:
    """Nothing is unpacked here: a few kilobytes can hold gigabytes."""
    codings = request.headers.getall(hdrs.CONTENT_ENCODING, [])
    return all(coding.strip().lower() in ("", "identity") for coding in codings)


def _token_is_right(request: web.Request, gate: Gate) -> bool:
    """Scripts send the token itself; the editors' client proves that it knows it."""
    if gate.shared and is_pairing(request):
        return True
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(given) != 1:
        return False
    if gate.challenges is not None and given[0].startswith(f"{SCHEME} "):
        return gate.challenges.accepts(given[0])
    if not given[0].startswith("Bearer "):
        return False
    bearer = given[0].removeprefix("Bearer ")
    token = bearer.encode("utf-8", "surrogateescape")
    if hmac.compare_digest(token, gate.token.encode()) or gate.sign_in.knows_key(bearer):
        return True
    # A one-time code is good for one thing: to be exchanged for a page's key.
    return request.path == KEYS_PATH and gate.sign_in.knows_code(bearer)


def is_pairing(request: web.Request) -> bool:
    """Whether this is a stranger's way in, who has a short code and no token yet."""
    return request.method == hdrs.METH_POST and request.path in (
        PAIRINGS_PATH,
        f"{PAIRINGS_PATH}/proof",
    )


CHECKS = (
    Check("bad_host", 403, "This server does not answer under that name.", _host_is_ours),
    Check("bad_origin", 403, "Pages of other sites may not use this server.", _origin_is_ours),
    Check("bad_site", 403, "Pages of other sites may not use this server.", _site_is_ours),
    Check("no_token", 401, "The token belongs into the header, not the URL.", _no_token_in_url),
    Check("no_token", 401, "This server needs its token (Authorization: Bearer).", _token_is_right),
    Check("packed_body", 415, "Send the body as it is, without Content-Encoding.", _is_not_packed),
)


def guard(
    gate: Callable[[web.Request], Gate], sign_in: Callable[[web.Request], web.Response | None]
) -> Middleware:
    """Middleware that asks every check; `sign_in` may dress a missing token for people."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        now = gate(request)
        for check in CHECKS:
            if not check.passes(request, now):
                page = sign_in(request) if check.passes is _token_is_right else None
                refused = page or refusal(check.status, check.code, check.sentence)
                if check.passes is _token_is_right:
                    _prove(request, now, refused)
                if request.can_read_body:
                    # What else it sends is nothing that anybody waits for.
                    refused.force_close()
                return refused
        return await handler(request)

    return middleware


def _prove(request: web.Request, gate: Gate, refused: web.Response) -> None:
    """Show whoever asks for it that this server knows the token."""
    challenges = request.headers.getall(CHALLENGE_HEADER, [])
    if gate.challenges is None or len(challenges) != 1:
        return
    if answer := gate.challenges.answer(challenges[0]):
        refused.headers.add(hdrs.WWW_AUTHENTICATE, answer)


def names_for(host: str, more: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Host names to answer to when listening on `host`, and whether any address will do."""
    loopback = {"127.0.0.1", "localhost", "[::1]"}
    if is_loopback(host):
        own = f"[{host}]" if ":" in host else host.lower()
        return frozenset(loopback | {own}), False
    names = {name.lower() for name in more} | {socket.gethostname().lower()}
    return frozenset(loopback | names), True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split_host(host: str) -> tuple[str, str]:
    """Name (lower case, brackets kept) and port of a Host header; the port defaults to 80."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.lower(), "80"
    return name.lower(), port


def _is_address(name: str) -> bool:
    """Whether a name is a canonical IPv4 or bracketed IPv6 address."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    return (address.version == 6) == name.startswith("[")
