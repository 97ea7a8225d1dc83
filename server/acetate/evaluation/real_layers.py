"""The layers that paintings are held against, and the words to paint from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from acetate.errors import BadRequest
from acetate.training.collection.entries import Collection, CollectionError, Unusable, read_layer
from acetate.training.collection.framing import as_tensor, fitted

_FEWEST = 200
"""Real layers, where the collection has them: few make KID and FID worthless."""


def read_real(
    layers: Collection, side: int, samples: int, report: Callable[[str], None]
) -> list[tuple[str, Tensor]]:
    """Captions and whole layers [1, 4, S, S]. Raises CollectionError where there are none."""
    found: list[tuple[str, Tensor]] = []
    faults = layers.faults.copy()
    for entry in layers.entries:
        if len(found) >= max(samples, _FEWEST):
            break
        try:
            found.append((entry.caption, as_tensor(fitted(read_layer(entry), side))[None]))
        except Unusable as error:
            faults[error.kind] += 1
    for kind, often in sorted(faults.items()):
        report(f"{often} left out: {kind}")
    if not found:
        raise CollectionError("There is no layer to hold against: see `acetate train inspect`.")
    return found


def read_prompts(file: Path | None, real: list[tuple[str, Tensor]], samples: int) -> list[str]:
    """The prompts in a file, or captions, one after another until there are enough.

    Raises BadRequest where there are no words.
    """
    if file is None:
        words = [caption for caption, _ in real if caption]
    else:
        try:
            words = [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise BadRequest(f"{file} cannot be read as text.") from error
    if not words:
        raise BadRequest("There is nothing to paint from: give --prompts a file, one a line.")
    return [words[number % len(words)] for number in range(samples)]
