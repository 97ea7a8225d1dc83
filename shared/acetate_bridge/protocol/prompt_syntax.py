"""What may stand in a prompt beside words, read in this one place.

- `{a|b}` is one of them, drawn anew for each picture, and `__name__` a line of the file of that
  name; `<lora:name:0.8>` takes a style; `# ...` to the end of a line is a comment.
- `(words:1.3)` weighs words; `(words)` does so by 1.1 and `[words]` by its inverse, also inside
  each other. `[a|b]` changes from step to step. These stay in the recipe.

A backslash before any of these signs makes it a letter. Brackets that do not match are text.
The notation is that of AUTOMATIC1111's interface and of its dynamic prompts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

EMPHASIS = 1.1
LEAST_WEIGHT, MOST_WEIGHT = -4.0, 10.0
DEEPEST = 16
"""How deep choices may lie inside each other, by way of files too; what lies deeper is text."""

MOST_TURNS = 16

_COMMENT = re.compile(r"(?m)(?:^[ \t]*#.*$\n?|(?<=\s)#(?=\s).*$)")
_CHOICE = re.compile(r"(?<!\\)\{((?:[^{}\\]|\\.)*)\}", re.DOTALL)
_WILDCARD = re.compile(r"(?<![\w\\])__((?:(?!__)[\w /-]){1,60})__(?!\w)")
_STYLE = re.compile(r"(?<!\\)<lora:([^<>:]+)(?::([^<>:]*))?(?::[^<>]*)?>")
_WEIGHT = re.compile(r":\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$")
_LONGEST_NUMBER = 24
_BRACES = ("\ue000", "\ue001")
"""Stand for braces that are letters while choices are made: signs of no script."""
_SPACES = re.compile(r"[ \t]{2,}")
_SIGNS = "()[]{}|<>#_\\"

Draw = Callable[[int], int]
"""One of so many, counted from 0."""
Lines = Callable[[str], list[str]]
"""The lines of a wildcard's file, by its name."""


class EndlessChoice(ValueError):
    """A wildcard names itself; the text is the name."""


@dataclass(frozen=True)
class Words:
    """A piece of a prompt, and how much it weighs."""

    text: str
    weight: float = 1.0


def drawn(text: str, draw: Draw, lines: Lines) -> tuple[str, dict[str, float]]:
    """A prompt with its choices made and without comments; and the styles that it takes.

    Raises EndlessChoice, and whatever `lines` raises for a file that there is not.
    """
    found = _choose(_COMMENT.sub("", text), draw, lines, 0)
    styles: dict[str, float] = {}

    def take(tag: re.Match[str]) -> str:
        weight = _number(tag[2]) if tag[2] is not None else 1.0
        if weight is None:
            return tag[0]
        styles[tag[1].strip()] = weight
        return ""

    without = _STYLE.sub(take, found)
    if without != found:
        found = re.sub(r"\s+([,.;])", r"\1", _SPACES.sub(" ", without)).strip(" \t,")
    return (found if found == text else found.strip()), styles


def turns(text: str) -> list[str]:
    """The prompts that take turns from step to step: as many as the longest `[a|b|c]` has."""
    groups = [_split(text[start + 1 : end]) for start, end in _alternatives(text)]
    count = max((len(group) for group in groups), default=1)
    return [_turn(text, index) for index in range(min(count, MOST_TURNS))]


def weighed(text: str) -> list[Words]:
    """The pieces of a prompt with what each weighs; one piece where all weigh the same 1."""
    text = _turn(text, 0)
    pairs = _pairs(text)
    ends = set(pairs.values())
    pieces, weights, start, index = [Words("")], [1.0], 0, 0
    resumes: list[int] = []

    def add(stop: int) -> None:
        piece = Words(text[start:stop], weights[-1])
        if piece.text and piece.weight == pieces[-1].weight:
            pieces[-1] = Words(pieces[-1].text + piece.text, piece.weight)
        elif piece.text:
            pieces.append(piece)

    while index < len(text):
        if text[index] == "\\":
            index += 2
        elif index in pairs:
            add(index)
            factor, stop = _factor(text, index, pairs[index])
            weights.append(min(MOST_WEIGHT, max(LEAST_WEIGHT, weights[-1] * factor)))
            resumes.append(stop)
            start = index = index + 1
        elif index in ends:
            add(min(index, resumes.pop()))
            weights.pop()
            start = index = index + 1
        else:
            index += 1
    add(len(text))
    found = [Words(_unescaped(each.text), each.weight) for each in pieces if each.text]
    return found or [Words("")]


def plain(text: str) -> str:
    """A prompt without any of these signs, for a model or a name that knows words alone."""
    bare = _STYLE.sub("", _COMMENT.sub("", text))
    words = "".join(each.text for each in weighed(bare))
    return text if words == text else _SPACES.sub(" ", words).strip()


def _choose(text: str, draw: Draw, lines: Lines, depth: int) -> str:
    """All choices made, the innermost first, and files read."""

    def one_of(found: re.Match[str]) -> str:
        options = _split(found[1])
        if len(options) > 1:
            return options[draw(len(options))]
        # Braces without a choice are letters: out of the way until the others are done.
        return f"{_BRACES[0]}{found[1]}{_BRACES[1]}"

    def a_line(found: re.Match[str]) -> str:
        if depth >= DEEPEST:
            raise EndlessChoice(found[1])
        options = lines(found[1])
        return _choose(options[draw(len(options))], draw, lines, depth + 1)

    count = 1
    while count:
        text, count = _CHOICE.subn(one_of, text)
    for letter, brace in zip(_BRACES, "{}"):  # noqa: B905 (an editor's Python knows no strict)
        text = text.replace(letter, brace)
    return _WILDCARD.sub(a_line, text)


def _factor(text: str, start: int, end: int) -> tuple[float, int]:
    """What the bracket from `start` to `end` weighs, and where its words end."""
    if text[start] == "[":
        return 1 / EMPHASIS, end
    tail = max(start + 1, end - _LONGEST_NUMBER)
    found = _WEIGHT.search(text[tail:end])
    number = _number(found[1]) if found is not None else None
    if found is None or number is None:
        return EMPHASIS, end
    return number, tail + found.start()


def _pairs(text: str) -> dict[int, int]:
    """Where each bracket that is closed by its own kind is closed."""
    waiting: list[int] = []
    found: dict[int, int] = {}
    index = 0
    while index < len(text):
        sign = text[index]
        if sign == "\\":
            index += 1
        elif sign in "([":
            waiting.append(index)
        elif sign in ")]" and waiting and text[waiting[-1]] == ("(" if sign == ")" else "["):
            found[waiting.pop()] = index
        index += 1
    return found


def _alternatives(text: str) -> list[tuple[int, int]]:
    """Start and end of each `[a|b]`, those inside others left out."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(_pairs(text).items()):
        inside = not found or start > found[-1][1]
        if text[start] == "[" and inside and len(_split(text[start + 1 : end])) > 1:
            found.append((start, end))
    return found


def _turn(text: str, index: int) -> str:
    for _ in range(DEEPEST):
        found = _alternatives(text)
        if not found:
            break
        for start, end in reversed(found):
            options = _split(text[start + 1 : end])
            text = text[:start] + options[index % len(options)] + text[end + 1 :]
    return text


def _split(text: str) -> list[str]:
    """Parts between bars that are neither escaped nor inside brackets."""
    if "|" not in text:
        return [text]
    parts, deep, start, index = list[str](), 0, 0, 0
    while index < len(text):
        letter = text[index]
        if letter == "\\":
            index += 1
        elif letter == "|" and deep <= 0:
            parts.append(text[start:index])
            start = index + 1
        deep += (letter in "([") - (letter in ")]")
        index += 1
    return [*parts, text[start:]]


def _unescaped(text: str) -> str:
    return re.sub(rf"\\([{re.escape(_SIGNS)}])", r"\1", text)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if LEAST_WEIGHT <= number <= MOST_WEIGHT else None
