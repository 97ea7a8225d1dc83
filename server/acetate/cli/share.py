"""`acetate share` on the machine that paints, `acetate connect` on the one that asks it to."""

from __future__ import annotations

from typing import Annotated

import typer

from acetate.errors import AcetateError
from acetate_bridge.client.discovery import read_runtime
from acetate_bridge.client.pairing import CannotPair, pair
from acetate_bridge.client.server_request import NoAnswer, ask_server
from acetate_bridge.client.shared_servers import forget


class CannotShare(AcetateError):
    """There is no code to be had, or the machines could not be paired."""

    code = "cannot_share"


def share() -> None:
    """Show a code that pairs one more machine with the shared server that runs here."""
    runtime = read_runtime()
    if runtime is None:
        raise CannotShare("No server runs here.", "Start one: acetate serve --share")
    try:
        status, found = ask_server(runtime, "POST", "/v1/share")
    except NoAnswer as error:
        raise CannotShare(str(error), "Restart it: acetate serve --share") from error
    if status == 409:
        raise CannotShare("The server that runs here is not shared.", _ANEW)
    if status != 201:
        raise CannotShare("The server that runs here is an older one.", _ANEW)
    tell([str(each) for each in found["addresses"]], str(found["code"]), float(found["seconds"]))


def tell(addresses: list[str], code: str, seconds: float) -> None:
    """Show what to type on the other machine."""
    typer.echo(f"Share: address {' or '.join(addresses)}, code {code}")
    typer.echo(
        f"On the other machine: acetate connect {addresses[0]} --code {code}, or type both into "
        f"the panel's settings. Good once, for {seconds / 60:.0f} minutes; "
        "acetate share shows another."
    )


def connect(
    address: Annotated[str, typer.Argument(help="The address that the other machine shows.")],
    code: Annotated[str, typer.Option(help="The code that it shows.")] = "",
    forgotten: Annotated[
        bool, typer.Option("--forget", help="Trust that machine no longer.")
    ] = False,
) -> None:
    """Pair with a shared server of another machine: its address is enough from then on."""
    if forgotten:
        if not forget(address):
            raise CannotShare(f"This machine is not paired with {address}.")
        typer.echo(f"{address} is forgotten.")
        return
    if not code:
        raise CannotShare(
            "The code is missing that the other machine shows.",
            f"Pair once with acetate connect {address} --code CODE; acetate share shows one there.",
        )
    typer.echo(f"Paired. Paint there: acetate generate text … --connect {paired(address, code)}")


def paired(address: str, code: str) -> str:
    """The `host:port` of a server, trusted from now on. Raises CannotShare."""
    try:
        return pair(address, code)
    except CannotPair as error:
        raise CannotShare(error.message, error.hint) from error


_ANEW = "Stop it, and start it anew: acetate serve --share"
