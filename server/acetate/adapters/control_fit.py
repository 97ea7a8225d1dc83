"""Whether the tensors of a control network are those that a model needs."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from acetate.adapters.patch import PatchMismatch, shape_words


def check_fit(file: dict[str, Any], expected: dict[str, Tensor], name: str) -> None:
    """Raise PatchMismatch naming the first tensor that is missing, of another shape or unknown."""
    for key, tensor in expected.items():
        found = file.get(key)
        if found is None:
            raise PatchMismatch(
                f"The control network {name} does not fit this model, which needs its tensor {key}."
            )
        if found.shape != tensor.shape:
            raise PatchMismatch(
                f"The control network {name} does not fit this model: its tensor {key} has the "
                f"shape {shape_words(tuple(found.shape))}, the model's "
                f"{shape_words(tuple(tensor.shape))}."
            )
    if unknown := sorted(set(file) - set(expected)):
        raise PatchMismatch(
            f"The control network {name} does not fit this model, which has no {unknown[0]}."
        )
