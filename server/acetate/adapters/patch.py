"""What a patch is, and what goes wrong when it does not fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager

from torch import nn

from acetate.errors import ModelDamaged


class PatchMismatch(ModelDamaged):
    """A patch was made for another network; the message names its first wrong tensor."""


def shape_words(shape: tuple[int, ...]) -> str:
    """A tensor's shape as people write it."""
    return " × ".join(map(str, shape)) or "a single number"


class Patch(ABC):
    """Weights that teach a frozen network something, and can be taken off without a trace.

    After `eject` the network is byte for byte what it was before `inject`, whatever happened in
    between; an `inject` that fails leaves it so, too. Patches come off in the reverse order in
    which they went on.
    """

    def __init__(self) -> None:
        self._target: nn.Module | None = None

    @property
    def injected(self) -> bool:
        """Whether the patch sits in a network at the moment."""
        return self._target is not None

    def inject(self, target: nn.Module) -> None:
        """Put the patch in. Raises PatchMismatch, and RuntimeError if it is in use already."""
        if self._target is not None:
            raise RuntimeError("this patch is injected already: eject it first")
        try:
            self._put_in(target)
        except BaseException:
            self._take_out(target)
            raise
        self._target = target

    def eject(self) -> None:
        """Take the patch out again; does nothing if it is not in."""
        target, self._target = self._target, None
        if target is not None:
            self._take_out(target)

    @contextmanager
    def inside(self, target: nn.Module) -> Generator[None]:
        """The patch is in for the length of a block."""
        self.inject(target)
        try:
            yield
        finally:
            self.eject()

    @abstractmethod
    def _put_in(self, target: nn.Module) -> None:
        """Change the network; may fail half-way."""

    @abstractmethod
    def _take_out(self, target: nn.Module) -> None:
        """Undo all that `_put_in` has done so far."""
