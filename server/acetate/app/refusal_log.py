"""Refusals in the log: the first few of a minute each, the others as a number.

Whoever has no token must not be able to fill a disk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from aiohttp.http_exceptions import HttpProcessingError

log = logging.getLogger("acetate.http")

_EACH_MINUTE = 100
_WINDOW_SECONDS = 60.0


class SparingLog:
    """Lets a number of lines pass in each minute, and says how many it has kept back."""

    def __init__(
        self,
        most: int = _EACH_MINUTE,
        window: float = _WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._window = window
        self._clock = clock
        self._began = float("-inf")
        self._said = 0
        self._kept_back = 0

    def may_say(self) -> bool:
        """Whether a line may be written now."""
        now = self._clock()
        if now - self._began >= self._window:
            kept_back, self._kept_back = self._kept_back, 0
            self._began, self._said = now, 0
            if kept_back:
                log.info("%d more requests were refused since", kept_back)
        self._said += 1
        if self._said <= self._most:
            return True
        self._kept_back += 1
        return False


REFUSALS = SparingLog()
_MALFORMED = SparingLog()


class QuietRefusals(logging.Filter):
    """Malformed requests leave one line; aiohttp would quote their headers, token and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record when it is about a malformed request."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg, record.args, record.exc_info = "a malformed request was refused", (), None
            record.levelno, record.levelname = logging.INFO, "INFO"
            return _MALFORMED.may_say()
        return True
