"""What was worked out a moment ago and will be asked for again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from torch import Tensor

T = TypeVar("T")


class Recent(Generic[T]):
    """The last few results by what they were made from."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What belongs to the key, made if it is not known."""
        if key not in self._known:
            self._known[key] = make()
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return self._known[key]

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()

    def __len__(self) -> int:
        return len(self._known)


def tensor_key(kind: str, tensor: Tensor) -> Hashable:
    """What tells a picture from another: its shape and the SHA-256 of its numbers."""
    numbers = tensor.detach().cpu().contiguous()
    return kind, tuple(tensor.shape), hashlib.sha256(numbers.numpy().tobytes()).digest()
