"""Names that a painter recognises in a layer list."""

from __future__ import annotations

import re

from acetate_bridge.protocol.prompt_syntax import plain

UNNAMED = "layer"
"""What a server calls a layer for which there is no prompt."""
_LONGEST = 40
_BRACKETS = ("()", "[]", "{}")
_WITHOUT_BRACKETS = str.maketrans("", "", "".join(_BRACKETS))
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """A text without control characters, which would make the XML of a document malformed.

    Tabulators and line ends stay.
    """
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def layer_name(prompt: str) -> str:
    """A prompt, shortened: its first phrase without the article, cut between words."""
    phrase = re.split(r"[,.;:!?\n]", plain(prompt).strip(), maxsplit=1)[0]
    phrase = re.sub(r"^(a|an|the)\s+", "", " ".join(phrase.split()), flags=re.IGNORECASE)
    if any(phrase.count(one) != phrase.count(other) for one, other in _BRACKETS):
        phrase = phrase.translate(_WITHOUT_BRACKETS)  # A weight that nobody closed.
    if len(phrase) <= _LONGEST:
        return phrase or UNNAMED
    shortened = phrase[: _LONGEST + 1].rpartition(" ")[0] or phrase[:_LONGEST]
    return f"{shortened}…"
