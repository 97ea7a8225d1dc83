"""One-time codes that open the page signed in, and the keys that pages hold for them."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

CODE_SECONDS = 60.0
MOST_CODES = 16
MOST_KEYS = 64


class SignIn:
    """Codes that wait to be used, and the keys that pages hold; only digests are kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._codes: OrderedDict[bytes, float] = OrderedDict()
        self._keys: OrderedDict[bytes, None] = OrderedDict()

    def new_code(self) -> str:
        """A code that opens one page, within a minute."""
        code = secrets.token_urlsafe(32)
        self._codes[_digest(code)] = self._clock() + CODE_SECONDS
        while len(self._codes) > MOST_CODES:
            self._codes.popitem(last=False)
        return code

    def knows_code(self, code: str) -> bool:
        """Whether that is a code which was not used yet, and is not too old."""
        return self._codes.get(_digest(code), 0.0) >= self._clock()

    def redeem(self, code: str) -> str | None:
        """The key for a code, which is used up by this; None when it is none, or too old."""
        until = self._codes.pop(_digest(code), None)
        if until is None or until < self._clock():
            return None
        key = secrets.token_urlsafe(32)
        self._keys[_digest(key)] = None
        while len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return key

    def knows_key(self, key: str) -> bool:
        """Whether a page of this server holds that key."""
        return _digest(key) in self._keys


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
