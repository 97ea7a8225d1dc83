"""The status line: one sentence with cause and cure, and at most one button, for every state."""

from __future__ import annotations

from acetate_bridge import words
from acetate_bridge.panel import Button, Status
from acetate_bridge.placement import Situation
from acetate_bridge.protocol import Failed, ModelInfo, Models, Progress
from acetate_bridge.states import Connection, State

STOPPED = Status("Not connected.", "notice", Button("Connect", "retry"))
FAULT = Status(words.FAULT, "problem", Button("Dismiss", "dismiss"))
HAND_IS_PAINTING = Status(words.HAND_IS_PAINTING, "working")


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


def of_models(offer: Models | None, model: ModelInfo | None, can_pull: bool) -> Status | None:
    """Nothing can paint yet; None when something can."""
    if model is None:
        if offer is None or not offer.models:
            return Status("The server is getting its models ready.", "working")
        return Status("No model that is here can do that: choose another mode.", "notice")
    name = model.name or model.id
    if model.state == "downloading":
        button = Button("Pause", "pause") if can_pull else None
        return Status(f"Downloading {name}, {model.progress:.0%}.", "working", button, model.reason)
    if model.state == "missing":
        button = Button("Download", "pull") if can_pull else None
        why = model.reason or f"Fetch it: acetate models pull {model.id}"
        sentence = f"{name} is not here yet." if can_pull else f"{name} is not here yet. {why}"
        return Status(sentence, "notice", button, why)
    return None
