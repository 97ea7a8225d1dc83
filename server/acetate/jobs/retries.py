"""Whether a job that took its worker or server with it is painted again: twice in all, no more.

It only decides; the queue runner acts on it.
"""

from __future__ import annotations

from enum import Enum, auto

ATTEMPTS = 2


class AfterLoss(Enum):
    """What becomes of a job whose worker is gone."""

    NEXT_START = auto()
    """The server closes: the job waits on the disk, and the attempt does not count."""
    CANCELLED = auto()
    """Nobody wants it any more."""
    AGAIN = auto()
    """Before all others of its client."""
    FAILED = auto()


def after_loss(attempts: int, cancelled: bool, closing: bool) -> AfterLoss:
    """What to do after `attempts` attempts, of which the last lost its worker."""
    if closing:
        return AfterLoss.NEXT_START
    if cancelled:
        return AfterLoss.CANCELLED
    return AfterLoss.AGAIN if may_try_again(attempts) else AfterLoss.FAILED


def may_try_again(attempts: int) -> bool:
    """Whether a job that was begun so often may be begun once more."""
    return attempts < ATTEMPTS
