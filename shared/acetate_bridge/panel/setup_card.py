"""What a panel can say of the set-up while no server runs, by looking at the disk alone."""

from __future__ import annotations

from collections.abc import Callable

from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.client.launcher import CannotStart, find_command
from acetate_bridge.client.own_version import plugin_version
from acetate_bridge.client.sandbox import Sandbox, sandbox_of
from acetate_bridge.protocol.setup import SetupPart

START = "Start"
"""What the panels' button says that starts a server."""
_INSTALL = "pipx install acetate"
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
    return [program, _server(state, program), _model(program), _plugin(state, version)]


def _program(find: Callable[[], list[str]], sandbox: Sandbox | None) -> SetupPart:
    if sandbox is not None:
        return SetupPart(
            "program",
            "wrong_place",
            f"This editor lives in a sandbox ({sandbox.kind}): it uses a server outside.",
            cure="Run in a terminal: acetate serve",
        )
    try:
        command = find()
    except CannotStart:
        return SetupPart(
            "program", "missing", "Acetate is not installed here.", 0.6, _LICENCE, _LINK,
            f"Run in a terminal: {_INSTALL}",
        )  # fmt: skip
    return SetupPart("program", "here", f"Found as {command[0]}.", -1.0, _LICENCE, _LINK)


def _server(state: State, program: SetupPart) -> SetupPart:
    if state.connection is Connection.READY:
        return SetupPart("server", "here", state.message)
    cure = START if program.state == "here" else program.cure
    return SetupPart("server", "missing", state.message, cure=cure)


def _model(program: SetupPart) -> SetupPart:
    words = "A small model comes with the program; larger ones are fetched from the page."
    here = program.state == "here"
    return SetupPart("model", "here" if here else "missing", words, 0.05, _LICENCE, _LINK,
                     "" if here else program.cure)  # fmt: skip


def _plugin(state: State, version: str) -> SetupPart:
    words = f"This panel is of version {version}."
    if not version:
        words = "This panel runs from its sources."
    if state.connection is Connection.READY and "this panel is of version" in state.message:
        cure = "Run in a terminal: acetate plugins install all"
        return SetupPart("plug-in", "other_version", words, 0.001, _LICENCE, _LINK, cure)
    return SetupPart("plug-in", "here", words, 0.001, _LICENCE, _LINK)
