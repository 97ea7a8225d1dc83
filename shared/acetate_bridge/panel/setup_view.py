"""What the set-up card and the settings dialog show, as a toolkit draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SetupAction = Literal["start_server", "update", "pull", "pause", "copy"]
"""`copy` is the toolkit's own: it puts the row's `command` where other programs can paste it."""


@dataclass(frozen=True)
class SetupButton:
    """The one button of a row; `Actions.press_setup_button(key)` does what it says."""

    label: str
    action: SetupAction


@dataclass(frozen=True)
class Hyperlink:
    """Words that open an address in the browser."""

    words: str
    address: str


@dataclass(frozen=True)
class SetupRow:
    """One part that painting needs, or a model.

    `state` says in a word or two how it stands, `good` whether that is as it should be, `words`
    the same in a sentence, `facts` its size and the like. `command` is what its button copies,
    `share` of a download lies between 0 and 1.
    """

    key: str
    name: str
    state: str
    good: bool
    words: str
    facts: str = ""
    links: tuple[Hyperlink, ...] = ()
    button: SetupButton | None = None
    command: str = ""
    share: float | None = None


@dataclass(frozen=True)
class SetupView:
    """The card: the parts, then the models with what runs best on this machine first.

    `machine` says what the card of this machine is. `pressing`: something lacks that keeps the
    painter from painting, so the card stands in the panel itself.
    """

    parts: tuple[SetupRow, ...] = ()
    models: tuple[SetupRow, ...] = ()
    machine: str = ""
    pressing: bool = False


@dataclass(frozen=True)
class FolderView:
    """A folder that the painter may want to look into."""

    name: str
    path: str


@dataclass(frozen=True)
class ServerView:
    """Where the panel looks for its server; both empty for the one of this machine."""

    address: str = ""
    token_file: str = ""
    folders: tuple[FolderView, ...] = ()
