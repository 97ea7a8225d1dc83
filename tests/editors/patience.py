"""What the tests in real editors wait for, and give up on."""

from __future__ import annotations


class NotInTime(AssertionError):
    """Something did not come about in time; nothing wrong was seen."""
