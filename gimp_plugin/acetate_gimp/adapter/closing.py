"""Images that are closed while they are read: GIMP answers with nothing then, and goes on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from gi.repository import Gimp

from acetate_bridge.editing.editor import Document, DocumentClosed
from adapter.documents import describe_image
from adapter.layers import is_open

Call = TypeVar("Call", bound=Callable[..., Any])


def of_an_open_image(call: Call) -> Call:
    """A call of `Editor` with a document: closed until it is over, that is DocumentClosed."""

    @functools.wraps(call)
    def guarded(self: Any, document: str, *values: Any, **named: Any) -> Any:
        try:
            answer = call(self, document, *values, **named)
        except Exception as error:
            if is_open(document):
                raise
            raise DocumentClosed(document) from error
        if not is_open(document):
            raise DocumentClosed(document)
        return answer

    return cast(Call, guarded)


def described(image: Gimp.Image) -> Document | None:
    """An image in the words of the bridge; None when it is closed by then."""
    try:
        found = describe_image(image)
    except (AttributeError, TypeError, ValueError):
        if image.is_valid():
            raise
        return None
    return found if image.is_valid() else None
