"""A view of the panel in the painter's language: what it says, never what the painter wrote."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from acetate_bridge.language.spoken import ENGLISH, say
from acetate_bridge.panel.preview_view import InPlaceView
from acetate_bridge.panel.queue_view import QueuedJob
from acetate_bridge.panel.setup_view import FolderView, Hyperlink, SetupRow
from acetate_bridge.panel.view import PanelView
from acetate_bridge.protocol.types import Image

V = TypeVar("V")

_SAID = frozenset(
    [
        "label",
        "reason",
        "words",
        "seconds_left",
        "tip",
        "warning",
        "sentence",
        "why_not",
        "details",
        "insert_label",
        "dismiss_label",
        "facts",
        "machine",
    ]
)
"""Fields of views that hold what the panel says."""
_SAID_BY = ((SetupRow, ("name", "state")), (FolderView, ("name",)))
"""Those that are codes in other views."""


def spoken(view: PanelView, language: str) -> PanelView:
    """The view as it is to be read; in English it is the very same."""
    return view if language == ENGLISH else _said(view)


def _said(view: V) -> V:
    """A view with its parts, each text of which is translated if it is one of the panel's."""
    if isinstance(view, tuple):
        return cast("V", tuple(_said(part) for part in cast("tuple[Any, ...]", view)))
    if isinstance(view, dict):
        parts = cast("dict[str, Any]", view)
        return cast("V", {key: _said(part) for key, part in parts.items()})
    if isinstance(view, (type, Image, Hyperlink, InPlaceView)) or not is_dataclass(view):
        return view
    changes: dict[str, Any] = {}
    for each in fields(view):
        value = getattr(view, each.name)
        if not isinstance(value, str):
            changes[each.name] = _said(value)
        elif _is_said(view, each.name):
            changes[each.name] = say(value)
    return cast("V", replace(cast("Any", view), **changes))


def _is_said(view: object, name: str) -> bool:
    if isinstance(view, QueuedJob) and name == "words":
        return False  # The painter's own words.
    return name in _SAID or any(
        isinstance(view, kind) and name in names for kind, names in _SAID_BY
    )
