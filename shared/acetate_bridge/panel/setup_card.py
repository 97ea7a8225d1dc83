"""The set-up card: what is in place, and what will run well, told by the server or by the disk.

While no server runs the disk and the driver's own tool say what they can.
"""

from __future__ import annotations

from collections.abc import Callable

from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.client.launcher import CannotStart, find_command
from acetate_bridge.client.own_version import plugin_version
from acetate_bridge.client.sandbox import Sandbox, sandbox_of
from acetate_bridge.panel import strings as words
from acetate_bridge.panel.setup_view import Hyperlink, SetupButton, SetupRow, SetupView
from acetate_bridge.panel.status import licence_links
from acetate_bridge.protocol.known_needs import KNOWN_NEEDS
from acetate_bridge.protocol.messages import ModelInfo, Models
from acetate_bridge.protocol.setup import (
    ModelFit,
    PartState,
    Setup,
    SetupPart,
    fit,
    memory_of,
    ranked,
)

START = "Start"
"""What the panels' button says that starts a server."""
UPDATE = "Update"
"""What the button says that brings the plug-in to the program's version."""
_RUN = "Run in a terminal: "
_INSTALL = "pipx install acetate"
_NAMES = {"program": "Program", "server": "Server", "model": "Model", "plug-in": "This plug-in"}
_STATES: dict[PartState, str] = {
    "here": "here",
    "missing": "missing",
    "wrong_place": "in the wrong place",
    "other_version": "another version",
}
_RUNS = {"here": "running", "missing": "stopped"}
_LICENCE, _LINK = "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"


def setup_parts(
    state: State,
    *,
    version: str = "",
    find: Callable[[], list[str]] = find_command,
    sandbox: Callable[[], Sandbox | None] = sandbox_of,
) -> list[SetupPart]:
    """Program, server, model and plug-in as they stand from here, each with its one cure."""
    version = version or plugin_version()
    program = _program(find, sandbox())
    return [program, _server(state, program), _model(program), _plugin(state, version, program)]


def _program(find: Callable[[], list[str]], sandbox: Sandbox | None) -> SetupPart:
    if sandbox is not None:
        return SetupPart(
            "program",
            "wrong_place",
            f"This editor lives in a sandbox ({sandbox.kind}): it uses a server outside.",
            cure=f"{_RUN}acetate serve",
        )
    try:
        command = find()
    except CannotStart:
        return SetupPart(
            "program", "missing", "Acetate is not installed here.", 0.6, _LICENCE, _LINK,
            f"{_RUN}{_INSTALL}",
        )  # fmt: skip
    return SetupPart("program", "here", f"Found as {command[0]}.", -1.0, _LICENCE, _LINK)


def _server(state: State, program: SetupPart) -> SetupPart:
    if state.connection is Connection.READY:
        return SetupPart("server", "here", state.message)
    cure = START if program.state == "here" else program.cure
    return SetupPart("server", "missing", state.message, cure=cure)


def _model(program: SetupPart) -> SetupPart:
    said = "A small model comes with the program; larger ones are fetched here or on the page."
    here = program.state == "here"
    return SetupPart("model", "here" if here else "missing", said, 0.05, _LICENCE, _LINK,
                     "" if here else program.cure)  # fmt: skip


def _plugin(state: State, version: str, program: SetupPart) -> SetupPart:
    said = f"This panel is of version {version}."
    if not version:
        said = "This panel runs from its sources."
    if state.other_version:
        said = f"{said} The server is of {state.other_version}: they work together."
        cure = UPDATE if program.state == "here" else f"{_RUN}acetate plugins install all"
        return SetupPart("plug-in", "other_version", said, 0.001, _LICENCE, _LINK, cure)
    return SetupPart("plug-in", "here", said, 0.001, _LICENCE, _LINK)


def setup_view(
    state: State,
    parts: list[SetupPart],
    offer: Models | None = None,
    setup: Setup | None = None,
    card: str = "",
) -> SetupView:
    """The card as it stands: `parts` from here, `offer` and `setup` from a server that answers."""
    ready = state.connection is Connection.READY
    if ready and setup is not None:
        told = next((each for each in setup.parts if each.name == "program"), None)
        parts = [told if told and each.name == "program" else each for each in parts]
    known = offer.models if ready and offer is not None else []
    if known:
        # Each model has a row of its own below.
        parts = [each for each in parts if each.name != "model"]
    return SetupView(
        tuple(_part_row(each) for each in parts),
        tuple(_model_rows(known, setup, card)),
        _machine(setup, card),
        state.connection in (Connection.NO_SERVER, Connection.REFUSED),
    )


def _part_row(part: SetupPart) -> SetupRow:
    command = part.cure.removeprefix(_RUN)
    button = None
    if part.cure == START:
        button, command = SetupButton(START, "start_server"), ""
    elif part.cure == UPDATE:
        button, command = SetupButton(UPDATE, "update"), ""
    elif command:
        button = SetupButton("Copy command", "copy")
    state = _RUNS.get(part.state) if part.name == "server" else None
    facts = [words.size(round(part.gigabytes * 1e9))] if part.gigabytes > 0 else []
    links = (Hyperlink(part.licence, part.link),) if part.link else ()
    return SetupRow(
        part.name,
        _NAMES.get(part.name, part.name.capitalize()),
        state or _STATES[part.state],
        part.state == "here",
        f"{part.words} {part.cure}" if command else part.words,
        " · ".join(facts),
        links,
        button,
        command,
    )


def _fits(known: list[ModelInfo], setup: Setup | None, card: str) -> list[ModelFit]:
    """The best for this machine first; what the server does not speak of is worked out here."""
    ids = {each.id for each in known}
    told = setup.models if setup is not None else []
    if not told:
        memory = memory_of(card)
        told = [fit(*row, memory) for row in KNOWN_NEEDS]
    found = [each for each in told if not known or each.model in ids]
    spoken = {each.model for each in found}
    found += [fit(each.id, each.name or each.id, 0, -1) for each in known if each.id not in spoken]
    return ranked(found)


def _model_rows(known: list[ModelInfo], setup: Setup | None, card: str) -> list[SetupRow]:
    models = {each.id: each for each in known}
    free = setup.free if setup is not None else -1.0
    rows: list[SetupRow] = []
    for found in _fits(known, setup, card):
        model = models.get(found.model)
        if model is None:
            rows.append(SetupRow(f"model {found.model}", found.name, "", True, found.words))
        else:
            rows.append(_model_row(model, found, free))
    return rows


def _model_row(model: ModelInfo, found: ModelFit, free: float) -> SetupRow:
    total, key = model.bytes_total, f"model {model.id}"
    name, links = model.name or model.id, licence_links(model)
    facts = f"{words.size(total)}{words.room(total, free)}" if total else ""
    if model.state == "ready":
        return SetupRow(key, name, "here", True, found.words)
    if model.state == "downloading":
        state = ", ".join(
            filter(None, (words.per_cent(model.progress), words.left(model.seconds_left)))
        )
        button = SetupButton("Pause", "pause")
        return SetupRow(key, name, state, True, found.words, facts, (), button, "", model.progress)
    label = {"paused": "Go on", "failed": "Try again"}.get(model.state, "")
    state = {"paused": f"paused at {words.per_cent(model.progress)}", "failed": "not fetched"}
    said = found.words
    if model.state == "failed" and model.reason:
        said = f"{model.reason} {said}"
    if model.licences:
        said = f"{said} To get it is to accept its terms: {' and '.join(model.licences)}."
    button = SetupButton(label or ("Accept and get it" if model.licences else "Get it"), "pull")
    return SetupRow(
        key, name, state.get(model.state, "not here"), False, said, facts, links, button
    )


def _machine(setup: Setup | None, card: str) -> str:
    card = setup.card if setup is not None else card
    return f"This machine: {card}" if card else "This machine: no card that is known"
