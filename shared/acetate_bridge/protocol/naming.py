"""Names that a painter recognises in a layer list."""

from __future__ import annotations

import re

_LONGEST = 40


def layer_name(prompt: str) -> str:
    """A prompt, shortened: its first phrase without the article, cut between words."""
    phrase = re.split(r"[,.;:!?\n]", prompt.strip(), maxsplit=1)[0]
    phrase = re.sub(r"^(a|an|the)\s+", "", " ".join(phrase.split()), flags=re.IGNORECASE)
    if len(phrase) <= _LONGEST:
        return phrase or "layer"
    shortened = phrase[: _LONGEST + 1].rpartition(" ")[0] or phrase[:_LONGEST]
    return f"{shortened}…"
