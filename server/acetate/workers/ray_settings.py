"""How the painters of a Ray cluster are asked for, as one value that needs no Ray."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RaySettings:
    """`address` is `auto` or `host:port`; between `lowest` and `highest` painters are kept.

    One beyond the lowest number is let go when it has had nothing to paint for `idle_seconds`.
    """

    address: str = "auto"
    lowest: int = 1
    highest: int = 1
    idle_seconds: float = 300.0
