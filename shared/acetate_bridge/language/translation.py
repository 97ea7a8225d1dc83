"""A sentence that is finished in English, said in another language.

The English sentence itself is the key, as in gettext; what it was filled with is found again by
the catalog's placeholders. So the sentences of the server are translated, too, which come over
the wire as they are, and code that makes sentences needs to know nothing of languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_QUOTED = re.compile("“[^”]*”")
_PARTS = " · "
"""What short words are strung together with; in lists and amounts it is a comma."""
_FULL_STOPS = {"ja": "。", "zh_CN": "。"}
_REMEMBERED = 4096


@dataclass(frozen=True)
class _Template:
    """A sentence with gaps: what it looks like when they are filled, and what it means."""

    pattern: re.Pattern[str]
    meant: str
    strung: bool
    order: tuple[bool, int]


class Translation:
    """One language: `of(sentence)`; what is in no catalog stays as it is."""

    def __init__(self, catalog: Mapping[str, str], language: str = "") -> None:
        self._exact: dict[str, str] = {}
        templates: list[_Template] = []
        for said, meant in catalog.items():
            if _PLACEHOLDER.search(said):
                # What says most comes first; a leading gap may be a part of anything.
                order = (said.startswith("{"), -len(_PLACEHOLDER.sub("", said)))
                templates.append(_Template(_pattern(said), meant, _PARTS in said, order))
            else:
                self._exact[said] = meant
                # Titles stand in menus with other capitals, and without the mark of a key.
                self._exact.setdefault(_plain(said), meant)
        self._templates = sorted(templates, key=lambda each: each.order)
        self._full_stop = _FULL_STOPS.get(language, ".")
        self.of = lru_cache(_REMEMBERED)(self._of)

    def _of(self, sentence: str) -> str:
        return self._known(sentence) or self._in_sentences(sentence) or sentence

    def _known(self, text: str) -> str:
        """A text that the catalog has as a whole; empty for any other."""
        found = self._exact.get(text) or self._exact.get(_plain(text))
        if found:
            return found if "_" in text else found.replace("_", "")
        strung = _PARTS in _QUOTED.sub("", text)
        for template in self._templates:
            if strung and not template.strung:
                continue
            if filled := template.pattern.fullmatch(text):
                return template.meant.format_map(self._values(filled))
        if text.endswith(".") and (found := self._known(text[:-1])):
            return found + self._full_stop
        return ""

    def _values(self, filled: re.Match[str]) -> dict[str, str]:
        """What stood in the gaps; names in quotation marks are the painter's own."""
        text = filled.string
        return {
            name: value if text[: filled.start(name)].endswith("“") else self._words(value)
            for name, value in filled.groupdict().items()
        }

    def _words(self, text: str) -> str:
        """A part of a sentence: as a whole, or the words that are strung together in it."""
        if found := self._known(text):
            return found
        for joint in (_PARTS, ", "):
            if joint in text:
                return joint.join(self._words(part) for part in text.split(joint))
        return text

    def _in_sentences(self, text: str) -> str:
        """Sentences in a row, each for itself; the longest that is known comes first."""
        if "\n" in text:
            return "\n".join(self._of(line) for line in text.split("\n"))
        ends = [each.end() for each in re.finditer(r"[.!?:] ", text)]
        for end in reversed(ends):
            if head := self._known(text[: end - 1]):
                gap = "" if head.endswith(("。", "：")) else " "
                return f"{head}{gap}{self._of(text[end:])}"
        for end in ends:
            rest = self._of(text[end:])
            if rest != text[end:]:
                return f"{text[:end]}{rest}"
        return self._words(text)


def _pattern(template: str) -> re.Pattern[str]:
    """What a filled template looks like."""
    parts = _PLACEHOLDER.split(template)
    pattern = "".join(
        f"(?P<{part}>{_gap(parts, index)})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.compile(pattern, re.DOTALL)


def _gap(parts: list[str], index: int) -> str:
    """What may stand in a gap: a name in quotation marks may hold anything, words no sentence."""
    before, after = parts[index - 1], parts[index + 1]
    if before.endswith("“") or (not before and re.match(r" [A-Z·]", after)):
        return ".+?"
    if not before and re.match(r" [a-z]", after) and len(parts) == 3:
        return "[^,·]+?"
    closed = r"(?<!\.)" if index == len(parts) - 2 and not after else ""
    return rf"(?:(?!\. [A-Z“]).)+?{closed}"


def _plain(text: str) -> str:
    return text.replace("_", "").casefold()
