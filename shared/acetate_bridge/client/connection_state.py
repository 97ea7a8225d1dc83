"""How the connection stands, in a sentence for a painter and a word for a program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Connection(str, Enum):
    """What a client is doing about its server."""

    STOPPED = "stopped"
    NO_SERVER = "no_server"
    STARTING = "starting"
    CONNECTING = "connecting"
    READY = "ready"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True)
class State:
    """`message` names the cause, `cure` what helps; `retry_in` seconds until the next try.

    `other_version` is that of a server which is not the panel's own.
    """

    connection: Connection
    message: str
    cure: str = ""
    retry_in: float = 0.0
    other_version: str = ""


STOPPED = State(Connection.STOPPED, "Not connected.")
CONNECTING = State(Connection.CONNECTING, "Connecting to the server.")
STARTING = State(Connection.STARTING, "The server is starting.")


def ready(server: str, plugin: str = "") -> State:
    """A server has said welcome; `plugin` is the version of the plug-in, empty where unknown."""
    version = server.partition(" ")[2]
    if not plugin or version in ("", plugin):
        return State(Connection.READY, f"Connected to {server}.")
    return State(
        Connection.READY,
        f"Connected to {server}; this panel is of version {plugin}.",
        "They work together. To bring both up to date: acetate plugins install all",
        other_version=version,
    )


def no_server(retry_in: float) -> State:
    """Nothing listens where a server should be."""
    return State(
        Connection.NO_SERVER, "The server is not running.", "Start it: acetate serve", retry_in
    )


def waiting(reason: str, retry_in: float) -> State:
    """The connection was lost and will be tried again."""
    return State(
        Connection.WAITING,
        f"The connection was lost ({reason}).",
        "It is tried again by itself; accepted jobs go on.",
        retry_in,
    )


def wrong_token(retry_in: float) -> State:
    """The server does not know our token."""
    return State(
        Connection.REFUSED,
        "The server does not accept this token.",
        "Use the token of the running server, or restart it.",
        retry_in,
    )


def not_proven(reason: str, retry_in: float) -> State:
    """What answers may be another program on the server's port."""
    return State(
        Connection.REFUSED,
        f"What answers at this address is not trusted: {reason}.",
        "Start the server anew: acetate serve. If it is older than this plug-in, update it.",
        retry_in,
    )


def other_certificate(retry_in: float) -> State:
    """A server of another machine is not the one that was paired, or somebody stands between."""
    return State(
        Connection.REFUSED,
        "What answers at this address does not have the certificate that you paired with.",
        "If that server was set up anew, pair again with a code from acetate share there; "
        "if not, somebody may stand between.",
        retry_in,
    )


def not_admitted(status: int, retry_in: float) -> State:
    """Something answers there, but does not open a session."""
    return State(
        Connection.REFUSED,
        f"What answers at this address refuses a session (HTTP {status}).",
        "Check the address, and the names that the server was told to answer to.",
        retry_in,
    )


def other_protocol(message: str, retry_in: float) -> State:
    """Server and editor are too far apart in age."""
    return State(
        Connection.REFUSED, message, "Update Acetate and its plug-in to the same version.", retry_in
    )


def bad_address(reason: str, retry_in: float) -> State:
    """What was set cannot lead to any server."""
    return State(Connection.REFUSED, f"{reason}.", "Look at the panel's settings.", retry_in)


def cannot_start(reason: str, retry_in: float) -> State:
    """The server could not be started from here."""
    return State(Connection.NO_SERVER, reason, "Start it yourself: acetate serve", retry_in)
