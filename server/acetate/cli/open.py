"""`acetate open`: the local page in the browser, signed in."""

from __future__ import annotations

import time
import webbrowser
from typing import Annotated

import typer

from acetate.cli.own_command import own_command
from acetate.errors import AcetateError
from acetate_bridge.client.discovery import Runtime, read_runtime
from acetate_bridge.client.launcher import CannotStart, last_words, start_server
from acetate_bridge.client.page_link import NoPageLink, page_link

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2
_IDLE_SECONDS = 900


class CannotOpen(AcetateError):
    """The page could not be opened."""

    code = "cannot_open"


def open_page(
    show: Annotated[
        bool, typer.Option("--print", help="Print the address instead; it is good for one use.")
    ] = False,
) -> None:
    """Open the local page in your browser, signed in; starts the server if none runs."""
    runtime = read_runtime() or _started()
    try:
        address = page_link(runtime)
    except NoPageLink as error:
        raise CannotOpen(str(error), "Restart it: acetate serve") from error
    if show:
        typer.echo(address)
    elif webbrowser.open(address):
        typer.echo(f"The page is open in your browser (http://{runtime.address}).")
    else:
        raise CannotOpen(
            "No browser could be opened here.",
            "Take the address from acetate open --print within a minute.",
        )


def _started() -> Runtime:
    """A server that was started for this, once it tells where it is."""
    try:
        child = start_server([*own_command(), "serve", "--idle-exit", str(_IDLE_SECONDS)])
    except CannotStart as error:
        raise CannotOpen(f"No server runs, and {error}.") from error
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if (runtime := read_runtime()) is not None:
            typer.echo(
                "A server was started for it, which leaves a quarter of an hour after the last "
                "page has been closed; `acetate stop` ends it at once.",
                err=True,
            )
            return runtime
        if child.poll() is not None:
            break
        time.sleep(_PAUSE_SECONDS)
    raise CannotOpen(f"The server did not start: {last_words()}")
