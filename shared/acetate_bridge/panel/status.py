"""The status line: one sentence with cause and cure, and at most one button, for every state."""

from __future__ import annotations

from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.editing.plan import Situation
from acetate_bridge.panel import strings as words
from acetate_bridge.panel.setup_view import Hyperlink
from acetate_bridge.panel.view import Button, Status
from acetate_bridge.protocol.licences import licence_link
from acetate_bridge.protocol.messages import Failed, ModelInfo, Models, Progress

STOPPED = Status("Not connected.", "notice", Button("Connect", "retry"))
FAULT = Status(words.FAULT, "problem", Button("Dismiss", "dismiss"))
GAVE_WAY = Status(
    "The prompt that stood there has given way to this one.",
    "notice",
    Button("Bring it back", "bring_back"),
)


def of_connection(state: State) -> Status | None:
    """What there is to say of the connection; None while it stands."""
    if state.connection is Connection.READY:
        return None
    if state.connection is Connection.STOPPED:
        return STOPPED
    if state.connection in (Connection.STARTING, Connection.CONNECTING):
        return Status(state.message, "working")
    if state.connection is Connection.NO_SERVER:
        return Status(state.message, "notice", Button("Start", "start_server"), state.cure)
    if state.connection is Connection.WAITING:
        sentence = f"{state.message} {state.cure}".strip()
        return Status(sentence, "notice", Button("Try now", "retry"))
    sentence = f"{state.message} {state.cure}".strip()
    return Status(sentence, "problem", Button("Try again", "retry"))


def of_waiting(why: str) -> Status:
    """A layer waits for the hand, or for what is said."""
    return Status(why or words.HAND_IS_PAINTING, "working", Button("Insert now", "insert_now"))


def of_job(prompt: str, orphan: bool, progress: Progress | None) -> Status:
    """A job is on its way."""
    sentence = words.painting(prompt)
    if orphan:
        sentence = f"{sentence} It was asked for before the restart."
    note = progress.note if progress is not None else ""
    return Status(f"{sentence} {note}".strip(), "working")


def of_failure(failed: Failed) -> Status:
    """The job has ended without a result."""
    sentence = " ".join(part for part in (failed.message, failed.hint) if part)
    return Status(sentence, "problem", Button("Try again", "again"), f"Code: {failed.code}")


def of_warning(warning: str) -> Status:
    """A result looks wrong, and was not inserted by itself."""
    return Status(
        f"{warning} It waits below: click it to use it all the same.",
        "notice",
        Button("Paint another", "again"),
    )


def of_document(situation: Situation) -> Status | None:
    """The document cannot take a layer in colour; None when it can."""
    document = situation.document
    if document is None or not document.colour:
        return None
    sentence = f"This image is {document.colour}: a layer in colour needs it converted to RGB."
    button = Button("Convert to colour", "convert") if document.can_convert else None
    return Status(sentence, "notice", button)


def of_models(offer: Models | None, model: ModelInfo | None, free: float = -1.0) -> Status | None:
    """Nothing can paint yet; None when something can. `free` gigabytes, negative for unknown."""
    if model is None:
        if offer is None or not offer.models:
            return Status("The server is getting its models ready.", "working")
        return Status(words.CHOOSE_ANOTHER_MODE, "notice")
    if model.state == "ready":
        return None
    return _of_fetching(model, free)


def licence_links(model: ModelInfo) -> tuple[Hyperlink, ...]:
    """Where the licences can be read that are accepted by fetching a model."""
    return tuple(Hyperlink(name, link) for name in model.licences if (link := licence_link(name)))


def _of_fetching(model: ModelInfo, free: float) -> Status:
    """A model that can be fetched, is being fetched, or could not be."""
    name, share = model.name or model.id, words.per_cent(model.progress)
    if model.state == "downloading":
        left = words.left(model.seconds_left)
        sentence = ", ".join(part for part in (f"Downloading {name}", share, left) if part)
        return Status(f"{sentence}.", "working", Button("Pause", "pause"), model.reason)
    if model.state == "paused":
        return Status(
            f"Downloading {name} is paused at {share}.", "notice", Button("Go on", "pull")
        )
    if model.state == "failed":
        sentence = model.reason or f"{name} could not be downloaded."
        return Status(sentence, "problem", Button("Try again", "pull"))
    needs = f"{words.needs(model)}{words.room(model.bytes_total, free)}."
    if not model.licences:
        return Status(needs, "notice", Button("Get it", "pull"), model.reason)
    terms = " and ".join(model.licences)
    return Status(
        f"{needs} To get it is to accept its terms: {terms}.",
        "notice",
        Button("Accept and get it", "pull"),
        model.reason,
        licence_links(model),
    )
