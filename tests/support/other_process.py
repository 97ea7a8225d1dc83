"""What is a process of its own, beside that of the tests."""

from __future__ import annotations


class OtherProcess:
    """A fixture of this kind may be late on a busy machine: see `tests/attempts.py`."""
