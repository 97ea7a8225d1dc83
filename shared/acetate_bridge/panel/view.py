"""What the panel shows and what a click can ask for: all that a toolkit has to know.

A toolkit draws a `PanelView` and nothing else, whenever it is handed a new one, and calls the
`Actions` (which `controller.Controller` fulfils) on the GUI thread. No action raises, none waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from acetate_bridge.panel.completion import Completion
from acetate_bridge.panel.fields import FIELDS, Value
from acetate_bridge.panel.lists import LISTS
from acetate_bridge.panel.preview_view import InPlaceView, LiveView
from acetate_bridge.panel.queue_view import ProgressView, QueuedJob
from acetate_bridge.panel.setup_view import Hyperlink, ServerView, SetupRow, SetupView
from acetate_bridge.protocol.types import Image

Severity = Literal["ready", "working", "notice", "problem"]
"""How a status is marked: a calm dot, a turning one, a yellow one, a red one."""

Action = Literal[
    "start_server",
    "retry",
    "pull",
    "pause",
    "convert",
    "again",
    "dismiss",
    "insert_now",
    "bring_back",
]


@dataclass(frozen=True)
class Button:
    """A button with its words; `press_status_button` does what it says."""

    label: str
    action: Action


@dataclass(frozen=True)
class Status:
    """How things stand: one sentence, at most one button, and more words for a tooltip.

    `links` lead to what the sentence speaks of, such as the licence of a model.
    """

    sentence: str
    severity: Severity = "ready"
    button: Button | None = None
    details: str = ""
    links: tuple[Hyperlink, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A mode or a model in a menu. One that is not available is greyed; `reason` says why.

    `fetches` is the model that would make it available: such a one can be chosen all the same,
    and the status then offers to fetch it.
    """

    name: str
    label: str
    available: bool = True
    reason: str = ""
    fetches: str = ""

    @property
    def choosable(self) -> bool:
        """Whether a menu lets it be chosen."""
        return self.available or bool(self.fetches)


@dataclass(frozen=True)
class FieldView:
    """A setting as it stands (see `fields.FIELDS`); one that does not apply is greyed."""

    value: Value
    applies: bool = True
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class ListView:
    """A list as it stands (see `lists.LISTS`): its entries, each with its columns by name."""

    entries: tuple[dict[str, FieldView], ...] = ()
    applies: bool = True
    can_add: bool = True


def _no_entries() -> dict[str, ListView]:
    return {name: ListView(applies=row.folded, can_add=False) for name, row in LISTS.items()}


def _untouched() -> dict[str, FieldView]:
    return {name: FieldView(row.default) for name, row in FIELDS.items()}


@dataclass(frozen=True)
class LayerPrompt:
    """A prompt for one layer of a scene, beside the prompt for all of it."""

    role: str
    label: str
    text: str = ""


@dataclass(frozen=True)
class Thumbnail:
    """A small straight-alpha picture for a strip, drawn on a checkerboard.

    `shown`: it stands in the document now. `kept`: it stays there when another one is chosen.
    `tip` is the text of its tooltip; `warning` is not empty when its transparency looks wrong.
    """

    image: Image
    tip: str = ""
    shown: bool = False
    kept: bool = False
    warning: str = ""


@dataclass(frozen=True)
class OfferView:
    """A result without its document: a row with its picture and the two buttons Insert, Dismiss.

    `insertable` is False while no document is open that could take it.
    """

    sentence: str
    image: Image
    insert_label: str = "Insert into the active document"
    dismiss_label: str = "Dismiss"
    insertable: bool = True


@dataclass(frozen=True)
class PanelView:
    """Everything on the panel, from top to bottom.

    `fields` holds all settings, by name; `model` is the one that would paint. `more_open` says
    whether the fold with the details is open. `why_not` says in a tooltip why the Generate button
    is grey. `preview` is a rough picture of what is being painted. `can_regenerate`: the active
    layer carries a recipe. `can_try_again`: this document has had a job. `running`: a job for
    this document is on its way; more may be asked for meanwhile, and `queue` lists all of them,
    in every document, in their order. `setup` is the card of what is in place, `server` what the
    settings dialog says of where to look for it. `lists` holds all lists by name, and
    `guides_open` says whether the fold with what guides a painting is open. `left_out` says whether
    the active layer is left out of what the model sees, `left_out_words` which layers are.
    `in_place` is to be seen over the document, or beside it where nobody can draw on a canvas.
    """

    modes: tuple[Choice, ...] = ()
    mode: str = "text"
    model: str = ""
    prompt: str = ""
    layer_prompts: tuple[LayerPrompt, ...] = ()
    fields: dict[str, FieldView] = field(default_factory=_untouched)
    more_open: bool = False
    lists: dict[str, ListView] = field(default_factory=_no_entries)
    guides_open: bool = False
    left_out: FieldView = FieldView(False, False)
    left_out_words: str = ""
    sentence: str = ""
    can_generate: bool = False
    why_not: str = ""
    can_regenerate: bool = False
    can_try_again: bool = False
    running: bool = False
    queue: tuple[QueuedJob, ...] = ()
    progress: ProgressView | None = None
    preview: Image | None = None
    live: LiveView = LiveView()
    in_place: InPlaceView | None = None
    results: tuple[Thumbnail, ...] = ()
    history: tuple[Thumbnail, ...] = ()
    offer: OfferView | None = None
    setup: SetupView = SetupView()
    server: ServerView = ServerView()
    status: Status = field(default_factory=lambda: Status("Not connected."))

    @property
    def card_rows(self) -> tuple[SetupRow, ...]:
        """The set-up card in the panel; what the status line has a button for needs no second."""
        beside = self.status.button.action if self.status.button is not None else ""
        return tuple(
            replace(row, button=None)
            if row.button is not None and row.button.action == beside == "start_server"
            else row
            for row in (self.setup.parts if self.setup.pressing else ())
        )


class Setting(Protocol):
    """What a form of settings tells."""

    def set_field(self, name: str, value: Value) -> None:
        """The painter has set a field."""
        ...


class Actions(Protocol):
    """What a painter can do. Everything is called on the GUI thread and returns at once."""

    @property
    def view(self) -> PanelView:
        """The panel as it stands now."""
        ...

    def start(self) -> None:
        """The panel has opened: connect."""
        ...

    def stop(self) -> None:
        """The editor quits or the plug-in is unloaded: leave no thread behind."""
        ...

    def refresh(self) -> None:
        """Something may have changed in the editor: focus, document, active layer, selection."""
        ...

    def set_mode(self, mode: str) -> None:
        """Choose what to do, by `Choice.name`."""
        ...

    def set_field(self, name: str, value: Value) -> None:
        """Set one of `fields.FIELDS`; choosing a seed locks it."""
        ...

    def set_prompt(self, text: str) -> None:
        """What to paint; kept for each mode."""
        ...

    def complete(self, prompt: str, cursor: int) -> tuple[Completion, ...]:
        """Names that fit before the cursor of a prompt, the best first; changes nothing."""
        ...

    def set_layer_prompt(self, role: str, text: str) -> None:
        """What to paint on one layer of a scene."""
        ...

    def set_more_open(self, more_open: bool) -> None:
        """Fold or unfold the details."""
        ...

    def set_guides_open(self, guides_open: bool) -> None:
        """Fold or unfold what guides a painting: layers to follow, styles, presets."""
        ...

    def add_entry(self, name: str) -> None:
        """One more entry of one of `lists.LISTS`; one to follow begins with the active layer."""
        ...

    def remove_entry(self, name: str, index: int) -> None:
        """Take an entry out of a list."""
        ...

    def set_cell(self, name: str, index: int, column: str, value: Value) -> None:
        """Set a column of an entry."""
        ...

    def leave_out(self, left_out: bool) -> None:
        """Leave the active layer out of what the model sees, or let it be seen again."""
        ...

    def save_preset(self, name: str) -> None:
        """Keep model, styles, words and numbers under a name."""
        ...

    def add_preset(self, path: str) -> None:
        """Take over a preset from a file that somebody has shared."""
        ...

    def generate(self, mode: str | None = None) -> None:
        """Paint with these settings, in another mode if one is given."""
        ...

    def cancel(self, job: str = "") -> None:
        """Stop a job of the queue; without its name, all of this document."""
        ...

    def cancel_all(self) -> None:
        """Stop the jobs of all documents."""
        ...

    def move(self, job: str, sooner: bool) -> None:
        """Paint a waiting job before the one that is before it, or after the one behind it."""
        ...

    def look_at_setup(self) -> None:
        """The settings dialog has opened: look anew at what is in place."""
        ...

    def press_setup_button(self, key: str) -> None:
        """Do what the button of this row of the card says, but for copying."""
        ...

    def set_server(self, address: str, token_file: str) -> None:
        """Look for the server there; both empty for the one of this machine."""
        ...

    def open_page(self) -> None:
        """Open the local page in the browser, signed in."""
        ...

    def swap(self, index: int) -> None:
        """Show this result in place of the one that is shown; select it when it is that one."""
        ...

    def keep(self, index: int) -> None:
        """Let this result stay in the document; the next choice is added to it."""
        ...

    def discard(self) -> None:
        """Take the shown result out of the document, unless it was kept, and clear the strip.

        What it had replaced or hidden is there again.
        """
        ...

    def set_live(self, on: bool) -> None:
        """Repaint the active layer as a preview whenever the hand rests, or no more."""
        ...

    def keep_live(self) -> None:
        """Put the live preview that is shown into the document."""
        ...

    def peek(self, index: int) -> None:
        """The pointer is on this result: show it in place."""
        ...

    def peek_preview(self) -> None:
        """The pointer is on the preview of what is being painted: show it in place."""
        ...

    def peek_nothing(self) -> None:
        """The pointer has left what was shown in place."""
        ...

    def restore(self, index: int) -> None:
        """Fill the panel with the recipe of this result of the history."""
        ...

    def repeat(self, index: int) -> None:
        """Paint this result of the history again, from its seed and at its place."""
        ...

    def another_try(self) -> None:
        """The last job of this document again, with another seed and from the same source."""
        ...

    def regenerate(self) -> None:
        """Paint the active layer anew from its own recipe, with another seed, in its place."""
        ...

    def repaint(self) -> None:
        """Repaint the active layer with the panel's prompt and strength."""
        ...

    def insert_offer(self) -> None:
        """Put the offered result into the active document."""
        ...

    def dismiss_offer(self) -> None:
        """Let the offered result go."""
        ...

    def press_status_button(self) -> None:
        """Do what the button beside the status sentence says."""
        ...
