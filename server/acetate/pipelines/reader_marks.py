"""Words of a prompt that a language model would take for marks of its own."""

from __future__ import annotations


def without_marks(prompt: str) -> str:
    """A prompt in which no mark begins: that of a picture would stand for one that is not there."""
    return prompt.replace("<|", "< |")
