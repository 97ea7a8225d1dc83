"""Patches that a denoiser wears for as long as a painting wants them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol

from torch import nn

from acetate.pipelines.memory_ladder import Ladder


class Patch(Protocol):
    """Weights that teach a frozen denoiser something, and can be taken off again.

    After `eject` the module is exactly as it was before `inject`.
    """

    def inject(self, target: nn.Module) -> None: ...

    def eject(self) -> None: ...


@contextmanager
def injected(
    patch: Patch | None, target: nn.Module, ladder: Ladder
) -> Generator[Callable[[], None]]:
    """Inject for the block; yields a function that ejects early. Ejects exactly once."""
    inside = patch

    def eject() -> None:
        nonlocal inside
        leaving, inside = inside, None
        if leaving is not None:
            leaving.eject()

    if patch is not None:
        ladder.attempt(lambda: patch.inject(target))
    try:
        yield eject
    finally:
        eject()
