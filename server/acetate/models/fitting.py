"""Which model fits into how much memory, and how: in fewer bits, in turns, or block by block.

One rule for what is loaded, for what `acetate doctor` says and for the table of the README.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Bits = Literal["16", "8", "4"]
Manner = Literal["whole", "turns", "streamed"]

FORMS = ("16", "8", "fp8", "4")
"""What weights can be kept in, by the names that recipes and ACETATE_WEIGHTS have for it."""


def kept_in(form: str) -> str:
    """For people: what weights are kept in; an empty form is that of the files."""
    words = {
        "": "16 bits",
        "16": "16 bits",
        "fp8": "8 bits (fp8)",
        **{each: f"{each} bits" for each in "84"},
    }
    return words.get(form, "a form that this version does not know")


WORKING = 2 * 2**30
"""Bytes beside the weights that a painting needs at the least, decoded in pieces."""

_READING = 2**29
"""Bytes beside a text encoder while it reads a prompt."""

RESERVED = 5 * 10**8
"""Bytes of a card that other programs take, such as the desktop."""

_BYTES: dict[Bits, float] = {"16": 2.0, "8": 1.01, "4": 0.5625}
"""For each number of a linear layer, with the scales that it shares; all others stay in 16 bits."""

_BLOCK = 0.1
"""Largest share of a denoiser that is brought in at once; those of 60 blocks stay far below."""

_ORDER: tuple[tuple[Bits, Manner], ...] = (
    ("16", "whole"),
    ("16", "turns"),
    ("8", "whole"),
    ("8", "turns"),
    ("4", "whole"),
    ("4", "turns"),
    ("8", "streamed"),
    ("4", "streamed"),
)
"""Exact weights before quick ones; what streams waits for the bus at every step: it comes last."""


@dataclass(frozen=True)
class Network:
    """How many numbers its weights have, and how many of them are in linear layers."""

    numbers: float
    linear: float

    def bytes(self, bits: Bits) -> float:
        """What its weights take."""
        return self.linear * _BYTES[bits] + (self.numbers - self.linear) * _BYTES["16"]


@dataclass(frozen=True)
class Plan:
    """How weights are kept: in so many bits; all on the device, one network at a time, or the
    denoiser by its blocks. `bytes` are needed on the device, working memory included.
    """

    bits: Bits
    manner: Manner
    bytes: float

    @property
    def sentence(self) -> str:
        """For people; empty where nothing is given up."""
        return " ".join(filter(None, (_BITS_WORDS[self.bits], _MANNER_WORDS[self.manner])))

    @property
    def label(self) -> str:
        """In two words, for tables."""
        return f"{self.bits} bit{_LABELS[self.manner]}"


_BITS_WORDS: dict[Bits, str] = {
    "16": "",
    "8": "Memory is scarce: weights are kept in 8 bits.",
    "4": "Memory is scarce: weights are kept in 4 bits, which can be seen in details.",
}
_MANNER_WORDS: dict[Manner, str] = {
    "whole": "",
    "turns": "",
    "streamed": "The model is brought onto the card block by block at every step: that takes time.",
}
_LABELS: dict[Manner, str] = {"whole": "", "turns": ", in turns", "streamed": ", by blocks"}


def as_chosen(form: str, manner: Manner, who: str) -> str:
    """For people: what is done because `who` says so; empty for exact weights."""
    said = f"Weights are kept in {kept_in(form)}, as {who} says." if form != "16" else ""
    return " ".join(filter(None, (said, _MANNER_WORDS[manner])))


def plan(networks: Sequence[Network], free: float, only: Bits | None = None) -> Plan | None:
    """How these networks, the denoiser first, fit into `free` bytes; None if in no way.

    With `only` weights are kept in so many bits, whatever is free.
    """
    for bits, manner in _ORDER:
        if only not in (None, bits) and not (only == "16" and manner == "streamed"):
            continue
        need = _need(networks, only or bits, manner)
        if need <= free:
            return Plan(only or bits, manner, need)
    return None


def plan_on_card(networks: Sequence[Network], card: float) -> Plan | None:
    """The same for a card with so many bytes in all."""
    return plan(networks, card - RESERVED)


def _need(networks: Sequence[Network], bits: Bits, manner: Manner) -> float:
    """Bytes on the device at once, working memory included."""
    first, *others = (network.bytes(bits) for network in networks)
    if manner == "whole":
        return first + sum(others) + WORKING
    if manner == "streamed":
        first *= _BLOCK
    return max(first + WORKING, *(other + _READING for other in others))
