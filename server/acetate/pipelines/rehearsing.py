"""How a rehearsal ends that finds something: one error, which names what does not fit."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from acetate.errors import AcetateError
from acetate.models.recognition_error import NotRecognised


@contextmanager
def rehearsing(name: str) -> Generator[None]:
    """Whatever painting would have met in this block becomes NotRecognised; `name` is the model."""
    with torch.inference_mode():
        try:
            yield
        except AcetateError as error:
            raise NotRecognised(error.message, error.hint) from error
        except Exception as error:
            words = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise unfit(name, f"its parts do not fit each other ({words[:160]})") from error


def unfit(name: str, words: str) -> NotRecognised:
    """The error for a base with parts that cannot work together."""
    return NotRecognised(f"{name} cannot paint: {words}.")


def check_flow(scheduler: Mapping[str, Any], name: str) -> None:
    """Raises NotRecognised for a scheduler of another kind than flow matching."""
    if scheduler.get("_class_name") != "FlowMatchEulerDiscreteScheduler":
        raise unfit(name, "its scheduler is not one of flow matching")
