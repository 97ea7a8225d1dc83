"""Short codes that pair another machine, and what is under way with them.

A code is good for one pairing and ten minutes, and dies of five wrong tries: a pairing that was
begun says nothing of it until the other side has shown its proof.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from acetate_bridge.protocol.pairing_proof import Half, Proofs, new_code, read_code
from acetate_bridge.protocol.proof import same

CODE_SECONDS = 600.0
MOST_TRIES = 5
MOST_PAIRINGS = 16
_MOST_BEGUN = 100
"""Beginnings cost arithmetic, and need no proof."""


class NoCode(Exception):
    """No code is good now: it was used, is too old, or was tried too often."""


class WrongCode(Exception):
    """The other side had another code, or sees another certificate."""


@dataclass
class _Code:
    letters: str = field(repr=False)
    until: float
    tries: int = 0
    begun: int = 0


class ShareCodes:
    """The one code that is good now."""

    def __init__(self, certificate: bytes, clock: Callable[[], float] = time.monotonic) -> None:
        self._certificate = certificate
        self._clock = clock
        self._code: _Code | None = None
        self._begun: OrderedDict[str, tuple[_Code, Proofs]] = OrderedDict()

    def new_code(self) -> str:
        """A code as people read it; an earlier one is good no more."""
        shown = new_code()
        self._code = _Code(read_code(shown), self._clock() + CODE_SECONDS)
        self._begun.clear()
        return shown

    def begin(self, client_share: str) -> tuple[str, str]:
        """Name of a pairing and our share. Takes milliseconds; raises NoCode, BadShare."""
        code = self._good()
        if code.begun >= _MOST_BEGUN:
            raise NoCode
        code.begun += 1
        half = Half(code.letters, self._certificate)
        proofs = half.agree(client_share, half.share)
        name = secrets.token_hex(16)
        self._begun[name] = code, proofs
        while len(self._begun) > MOST_PAIRINGS:
            self._begun.popitem(last=False)
        return name, half.share

    def finish(self, name: str, client_proof: str) -> str:
        """Our proof, for one that is right; the code is used up. Raises NoCode, WrongCode."""
        code, proofs = self._begun.pop(name, (None, None))
        if code is None or proofs is None or code is not self._good():
            raise NoCode
        if not same(client_proof, proofs.client):
            code.tries += 1
            raise WrongCode
        self._code = None
        self._begun.clear()
        return proofs.server

    def _good(self) -> _Code:
        code = self._code
        if code is None or code.tries >= MOST_TRIES or self._clock() > code.until:
            raise NoCode
        return code


@dataclass(frozen=True)
class Sharing:
    """How this server is shared: the `token` of other machines, codes, and `host:port`s."""

    token: str = field(repr=False)
    codes: ShareCodes
    addresses: Callable[[], list[str]]
