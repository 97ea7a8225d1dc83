"""Sharing this server with another machine: a code for people, and the pairing that it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from acetate.app.auth import PAIRINGS_PATH as PAIRINGS_PATH
from acetate.app.bodies import read_json
from acetate.app.context import CONTEXT
from acetate.app.responses import answer, refusal
from acetate.app.share_codes import CODE_SECONDS, NoCode, Sharing, WrongCode
from acetate.app.validation import build
from acetate.jobs.records import Refused
from acetate_bridge.protocol.codec import BadFrame
from acetate_bridge.protocol.pairing_proof import BadShare

T = TypeVar("T")

_MOST_BYTES = 4096


@dataclass(frozen=True)
class Invitation:
    """Answer of `/v1/share`: what to type on the other machine, within `seconds`."""

    addresses: list[str]
    code: str
    seconds: float


@dataclass(frozen=True)
class PairingBegin:
    """Body of `/v1/pairings`: the other side's share, see `protocol/pairing_proof.py`."""

    share: str


@dataclass(frozen=True)
class PairingBegun:
    """Its answer: the pairing's name and the share of this side."""

    pairing: str
    share: str


@dataclass(frozen=True)
class PairingProof:
    """Body of `/v1/pairings/proof`: which pairing, and proof of the code."""

    pairing: str
    proof: str


@dataclass(frozen=True)
class Paired:
    """Its answer: proof of this side, and the token for this address from now on."""

    proof: str
    token: str


def invitation(sharing: Sharing) -> Invitation:
    """A new code, and where it is to be used."""
    return Invitation(sharing.addresses(), sharing.codes.new_code(), CODE_SECONDS)


async def invite(request: web.Request) -> web.Response:
    sharing = request.app[CONTEXT].sharing
    return _not_shared() if sharing is None else answer(invitation(sharing), 201)


async def begin_pairing(request: web.Request) -> web.Response:
    sharing = request.app[CONTEXT].sharing
    body = await _read(request, PairingBegin)
    if sharing is None:
        return _not_shared()
    try:
        # Milliseconds of arithmetic, and a code can be begun with only so often.
        name, share = sharing.codes.begin(body.share)
    except NoCode:
        return _no_code()
    except BadShare:
        raise BadFrame("bad_share", "That is no share of a pairing.") from None
    return answer(PairingBegun(name, share), 201)


async def finish_pairing(request: web.Request) -> web.Response:
    sharing = request.app[CONTEXT].sharing
    body = await _read(request, PairingProof)
    if sharing is None:
        return _not_shared()
    try:
        proof = sharing.codes.finish(body.pairing, body.proof)
    except NoCode:
        return _no_code()
    except WrongCode:
        return refusal(
            403, "wrong_code", "This is not the code that the other machine shows.", _NEW
        )
    return answer(Paired(proof, sharing.token))


_NEW = "A new one is shown there by acetate share."


def _no_code() -> web.Response:
    sentence = "There is no code to pair with: it was used, is too old, or was tried too often."
    return refusal(409, "no_code", sentence, _NEW)


def _not_shared() -> web.Response:
    return refusal(
        409, "not_shared", "This server is not shared.", "Start it with acetate serve --share."
    )


async def _read(request: web.Request, kind: type[T]) -> T:
    """A small body of one kind; raises Refused, BadFrame."""
    if (request.content_length or 0) > _MOST_BYTES:
        raise Refused("too_large", f"A body may have {_MOST_BYTES} bytes here.")
    return build(kind, await read_json(request))
