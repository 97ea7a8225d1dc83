"""What a short English prompt says: the thing, its colour, what it is made of, its manner."""

from __future__ import annotations

import re
from dataclasses import dataclass

COLOURS = {
    "red": "red", "crimson": "red", "scarlet": "red", "ruby": "red",
    "orange": "orange",
    "yellow": "yellow",
    "green": "green", "lime": "green", "emerald": "green",
    "blue": "blue", "navy": "blue", "azure": "blue",
    "purple": "purple", "violet": "purple", "lilac": "purple", "lavender": "purple",
    "pink": "pink", "magenta": "pink",
    "brown": "brown",
    "black": "black",
    "white": "white",
    "grey": "grey", "gray": "grey",
    "gold": "golden", "golden": "golden",
    "silver": "silver", "metal": "silver", "metallic": "silver", "steel": "silver",
    "turquoise": "turquoise", "teal": "turquoise", "cyan": "turquoise", "aqua": "turquoise",
    "wooden": "wooden",
    "copper": "copper", "bronze": "bronze", "iron": "iron", "stone": "stone",
}  # fmt: skip
"""Words for colours and materials, and the name that `recolour` knows them by."""
LATER_COLOURS = frozenset({"copper", "bronze", "iron", "stone", "rusty"})

AGES = frozenset({"old", "ancient", "antique", "vintage", "worn", "rusty", "dusty", "faded"})
SMALL = frozenset({"tiny", "little", "small", "miniature", "mini"})
LARGE = frozenset({"huge", "giant", "gigantic", "enormous"})
RUST = "rusty"
"""A colour where no other is named, else an age."""
PATTERNS = {
    "striped": "striped", "stripy": "striped",
    "spotted": "spotted", "dotted": "spotted", "polka": "spotted", "dot": "spotted",
}  # fmt: skip
"""Words for what is laid over the colour, and the name that `patterns` knows it by."""
GLASS = frozenset({"glass", "translucent"})
"""Not “transparent”: people say it of the picture, “a transparent png of an apple”."""

MANNERS = {
    "3d": "3d", "render": "3d", "rendered": "3d", "clay": "3d",
    "glossy": "glossy", "shiny": "glossy",
    "cartoon": "drawn", "drawn": "drawn", "drawing": "drawn", "illustration": "drawn",
    "flat": "blob", "retro": "fox",
}  # fmt: skip
"""Words for a manner of drawing, and the style of the drawings that have it."""

_ARTICLES = frozenset({"a", "an", "the", "some", "one", "my", "your", "this", "that", "of"})
_BREAKS = re.compile(
    r"[,;:.()]|\b(?:with|without|in|on|at|under|over|near|behind|beside|holding|wearing|against|"
    r"from|for|by|and|to|next|sitting|standing|lying|flying|full|who|that|which|is)\b"
)
_DOING = frozenset(
    {
        "sleeping", "running", "jumping", "eating", "drinking", "playing", "reading", "dancing",
        "swimming", "singing", "hiding", "walking", "looking", "resting", "hanging", "growing",
    }
)  # fmt: skip
_PARTS = re.compile(r"^(?:pairs?|slices?|pieces?|bunch|bunches|loaf|bits?) of ")


@dataclass(frozen=True)
class Said:
    """A prompt taken apart.

    `thing` are the words of what is painted, its noun last; `phrase` the same with its colour and
    all; `whole` every word that carries meaning; `noun` the last word as it was written.
    `colour`, `style`, `pattern` and `glass` (the word) are empty where the prompt names none.
    """

    thing: tuple[str, ...]
    phrase: tuple[str, ...]
    whole: tuple[str, ...]
    noun: str
    colour: str = ""
    colour_word: str = ""
    style: str = ""
    aged: bool = False
    small: bool = False
    large: bool = False
    pattern: str = ""
    pattern_word: str = ""
    glass: str = ""

    @property
    def followed_later(self) -> bool:
        """Whether it holds words that the first recipes were painted without following."""
        return self.large or bool(self.pattern or self.glass) or self.colour in LATER_COLOURS


def singular(word: str) -> str:
    """A word without the ending of its plural, roughly."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("shes", "ches", "xes", "sses", "oes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


def plain_words(text: str) -> tuple[str, ...]:
    """Lower-case words without articles, plural endings and signs."""
    found = re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", ""))
    return tuple(singular(word) for word in found if word not in _ARTICLES)


def take_apart(prompt: str) -> Said:
    """What a prompt asks for. A colour stands in front of a noun: “an orange” is a fruit."""
    text = " ".join(prompt.lower().split())
    first = next((part for part in _BREAKS.split(text) if plain_words(part)), text).strip()
    first = re.sub(r"^(?:an?|the|some|my) ", "", first)
    first = _PARTS.sub("", first)
    words = plain_words(first)
    doing = next(
        (place for place, word in enumerate(words) if place and word in _DOING), len(words)
    )
    phrase = words[:doing]
    thing = list(phrase)
    noun = (re.findall(r"[a-z0-9]+", first) or [""])[len(phrase) - len(words) - 1]
    colour = colour_word = style = pattern = pattern_word = glass = ""
    aged = small = large = False
    for word in list(thing[:-1]):
        if word in COLOURS:
            colour, colour_word = COLOURS[word], word
        elif word in MANNERS:
            style = MANNERS[word]
        elif word in AGES:
            aged = True
        elif word in SMALL:
            small = True
        elif word in LARGE:
            large = True
        elif word in PATTERNS:
            pattern, pattern_word = PATTERNS[word], word
        elif word in GLASS and re.search(rf"\b{word} (?!of\b)", first):
            glass = word
        else:
            continue
        thing.remove(word)
    if RUST in phrase[:-1] and not colour:
        colour, colour_word, aged = RUST, RUST, False
    whole = plain_words(text)
    if not style:
        style = next((MANNERS[word] for word in whole if word in MANNERS), "")
    return Said(
        tuple(thing), phrase, whole, noun, colour, colour_word, style, aged, small,
        large, pattern, pattern_word, glass,
    )  # fmt: skip
