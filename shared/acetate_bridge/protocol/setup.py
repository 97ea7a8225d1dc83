"""What is in place for painting, part by part, as `/v1/setup` and the panels' card tell it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

PartState = Literal["here", "missing", "wrong_place", "other_version"]
Verdict = Literal["runs_well", "runs_slowly", "needs_more", "unknown"]

_SPARE = 1.2
"""A card that has a fifth more than a model's estimate keeps all of it."""
_ANYWHERE = 1.0
"""Gigabytes that every machine has, with a card or without."""
_MEBIBYTES = re.compile(r"(\d+)\s*MiB")


@dataclass(frozen=True)
class SetupPart:
    """One thing that painting needs: program, server, model or plug-in.

    `words` say how it stands, `gigabytes` what its files take (negative while unknown), `cure`
    the command or press of a button that mends it, empty where nothing has to be mended.
    """

    name: str
    state: PartState
    words: str
    gigabytes: float = -1.0
    licence: str = ""
    link: str = ""
    cure: str = ""


@dataclass(frozen=True)
class ModelFit:
    """How a model will run on this machine; `needs` is in gigabytes, 0 for unknown."""

    model: str
    name: str
    verdict: Verdict
    needs: float
    words: str


@dataclass(frozen=True)
class Setup:
    """Answer of `/v1/setup`. In gigabytes, negative while unknown: `memory` of the card, and what
    is `free` where models are kept."""

    version: str
    machine: str
    card: str
    memory: float
    parts: list[SetupPart] = field(default_factory=list[SetupPart])
    models: list[ModelFit] = field(default_factory=list[ModelFit])
    free: float = -1.0


def memory_of(card: str) -> float:
    """Gigabytes of a card as the driver's tool names it; negative where it does not say."""
    match = _MEBIBYTES.search(card)
    return round(int(match[1]) * 2**20 / 1e9, 1) if match else -1.0


def fit(model: str, name: str, needs: float, memory: float) -> ModelFit:
    """How a model that needs so many gigabytes runs with so many; what is unknown is said to be."""
    if 0 < needs <= _ANYWHERE:
        return ModelFit(model, name, "runs_well", needs, "Runs anywhere, without a card too.")
    if needs <= 0 or memory < 0:
        what = "what it needs" if needs <= 0 else "the memory of this card"
        return ModelFit(model, name, "unknown", max(needs, 0.0), f"Nobody knows {what}: try it.")
    if memory >= needs * _SPARE:
        return ModelFit(
            model, name, "runs_well", needs, f"Needs {needs:g} GB, there are {memory:g}."
        )
    if memory >= needs / 2:
        words = (
            f"Needs {needs:g} GB of {memory:g}: parts wait outside the card, which takes longer."
        )
        return ModelFit(model, name, "runs_slowly", needs, words)
    words = f"Needs {needs:g} GB, there are {memory:g}: it will crawl, or not run."
    return ModelFit(model, name, "needs_more", needs, words)


def ranked(fits: list[ModelFit]) -> list[ModelFit]:
    """The best for this machine first: what runs well, the most capable of them before others.

    Of what may not run well, that which needs least is tried first.
    """
    order = ("runs_well", "unknown", "runs_slowly", "needs_more")

    def turn(each: ModelFit) -> tuple[int, bool, float]:
        sign = -1 if each.verdict == "runs_well" else 1
        return order.index(each.verdict), each.model in ONLY_CHANGING, sign * each.needs

    return sorted(fits, key=turn)


ONLY_CHANGING = frozenset({"sd15-light"})
"""Models that paint nothing new, so they are no painter's first."""
