"""Attentions that pictures are attended to beside, so that another can take the inner place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn


class Seen(Protocol):
    """Pictures that attentions see."""

    def added(self, place: str, attention: Any, hidden: Tensor) -> Tensor | float:
        """What they add to the attention at a place, of `hidden` [batch, places, C]."""
        ...


class BesidePicture:
    """Stands where diffusers expects the function that computes an attention, and adds to it."""

    def __init__(self, inner: Callable[..., Tensor], adapter: Seen, place: str) -> None:
        self._inner = inner
        self._adapter = adapter
        self._place = place

    def around(self, inner: Callable[..., Tensor]) -> BesidePicture:
        """The same beside another attention, which may lie around further pictures."""
        within = self._inner
        if isinstance(within, BesidePicture):
            inner = within.around(inner)
        return BesidePicture(inner, self._adapter, self._place)

    def __call__(
        self,
        attention: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        words = self._inner(attention, hidden_states, encoder_hidden_states, attention_mask)
        return words + self._adapter.added(self._place, attention, hidden_states)


def in_place_of(processor: Callable[..., Tensor], inner: Callable[..., Tensor]) -> Any:
    """An attention in place of another, with the pictures that were seen beside it."""
    return processor.around(inner) if isinstance(processor, BesidePicture) else inner
