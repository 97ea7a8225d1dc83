"""`acetate serve`: the options of the server, turned into settings."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acetate.cli.own_command import own_command
from acetate.cli.share import tell
from acetate.errors import AcetateError
from acetate_bridge.client.address import LONGEST_TOKEN
from acetate_bridge.client.discovery import (
    data_folder,
    make_private,
    read_runtime,
    runtime_folder,
    write_private,
)
from acetate_bridge.client.launcher import leave_note
from acetate_bridge.client.private_folders import read_owned
from acetate_bridge.client.shared_servers import SHARE_PORT

if TYPE_CHECKING:
    from acetate.workers.ray_settings import RaySettings

TOKEN_BYTES = 32
_PATIENCE = 2.0
"""How many seconds a server that runs may take to answer."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token; created when missing.")
    ] = None,
    models_dir: Annotated[Path | None, typer.Option(help="Folder of the models.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of jobs and results.")] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="Where to paint; repeat it for more workers.")
    ] = None,
    idle_exit: Annotated[
        float, typer.Option(min=0, help="Leave after so many seconds without work; 0 stays.")
    ] = 0.0,
    allow_remote: Annotated[
        bool, typer.Option(help="Listen beyond this machine (needs --token-file).")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further host name to answer to.")
    ] = None,
    quota_mb: Annotated[int, typer.Option(min=16, help="Room for results.")] = 4096,
    share: Annotated[
        bool, typer.Option("--share", help="Serve other machines too, encrypted; shows a code.")
    ] = False,
    share_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port for them.")
    ] = SHARE_PORT,
    ray: Annotated[
        str, typer.Option(help="Paint in a Ray cluster: auto, or HOST:PORT of its head.")
    ] = "",
    ray_painters: Annotated[
        str, typer.Option(help="Painters to keep in the cluster, at least and at most.")
    ] = "1:1",
    engine: Annotated[
        list[str] | None,
        typer.Option(help="Paint at another server too: vllm-omni=URL; may be repeated."),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Variants painted at once on a card, at most; usually 4."),
    ] = None,
    log_format: Annotated[
        str, typer.Option(help="text, or json: an object a line, with the id of its job.")
    ] = "text",
    verbose: Annotated[bool, typer.Option(help="Say more in the log.")] = False,
) -> None:
    """Serve editors, scripts and the local page on this machine."""
    import logging
    from typing import cast, get_args

    from acetate.app.auth import is_loopback
    from acetate.app.server import CannotServe
    from acetate.app.server import serve as run
    from acetate.app.settings import Settings
    from acetate.cli.early import check_device
    from acetate.logs import LogFormat, set_up
    from acetate.models.device_names import check_name
    from acetate.modes.variant_batches import BATCH

    set_up(log_format, logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        if log_format not in get_args(LogFormat):
            raise CannotServe(f"--log-format is text or json, not “{log_format}”.")
        if not is_loopback(host) and not (allow_remote and token_file):
            raise CannotServe(
                f"{host} can be reached from other machines: "
                "add --allow-remote and --token-file if that is what you want."
            )
        cluster, racks = _ray(ray, ray_painters), _racks(engine)
        for name in device or ():
            # In a cluster its nodes have the devices, not this machine.
            check_name(name) if cluster else check_device(name)
        if token_file is not None and not token_file.exists():
            _check_alone()  # Nobody gets a token that no server asks for.
        settings = Settings(
            data_folder=data_dir or data_folder(),
            runtime_folder=runtime_folder(),
            token=token_in(token_file),
            host=host,
            port=port,
            hosts=tuple(allow_host or ()),
            devices=tuple(device or ["auto"]),
            models_dir=models_dir or _folder_named(),
            idle_exit=idle_exit,
            quota=quota_mb * 2**20,
            share_port=share_port if share else None,
            ray=cluster,
            racks=racks,
            log_format=cast(LogFormat, log_format),
        )
        if batch is not None:
            os.environ[BATCH] = str(batch)  # Workers inherit it.
        leave_note(own_command())
        run(
            settings,
            lambda address: typer.echo(f"Acetate listens on http://{address}"),
            lambda invitation: tell(invitation.addresses, invitation.code, invitation.seconds),
        )
    except AcetateError as error:
        typer.echo(f"{error} {error.hint}".strip(), err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(_why(error), err=True)
        raise typer.Exit(2) from None


def _check_alone() -> None:
    """Raise CannotServe where a server of this machine answers; the lock tells of any other."""
    from acetate.app.server import CannotServe, running_already

    other = read_runtime()
    if other is None:
        return
    with (
        contextlib.suppress(OSError),
        socket.create_connection((other.host, other.port), _PATIENCE),
    ):
        raise CannotServe(running_already(other))


def _why(error: OSError) -> str:
    """Why a server cannot start, with what to do."""
    from acetate.jobs.disk_space import is_full

    if is_full(error):
        return "The disk is full: free some space and start again."
    if error.filename is None or not error.strerror:
        return f"The server cannot start: {error}."
    reason = error.strerror.lower()
    return (
        f"The server cannot start: {error.filename2 or error.filename} cannot be used ({reason})."
    )


def _folder_named() -> Path | None:
    """The folder of models that the environment names, as for every other command."""
    named = os.environ.get("ACETATE_MODELS_DIR")
    return Path(named) if named else None


def _racks(engines: list[str] | None) -> tuple[str, ...]:
    """Addresses of servers that paint too. Raises BadRequest."""
    from acetate.errors import BadRequest
    from acetate.workers.rack_painter import RackAddress

    addresses: list[str] = []
    for text in engines or ():
        kind, equals, address = text.partition("=")
        if kind != "vllm-omni" or not equals:
            raise BadRequest(f"--engine is written vllm-omni=http://rack:8000, not “{text}”.")
        RackAddress.read(address)
        addresses.append(address)
    return tuple(addresses)


def _ray(address: str, painters: str) -> RaySettings | None:
    """Settings for a cluster, if one is asked for; raises BadRequest for odd numbers."""
    from acetate.errors import BadRequest
    from acetate.workers.ray_settings import RaySettings

    low, _, high = painters.partition(":")
    if not (low.isdecimal() and (high or low).isdecimal()):
        raise BadRequest("--ray-painters takes two numbers such as 1:8.")
    lowest, highest = int(low), int(high or low)
    if not 0 <= lowest <= highest or not 1 <= highest <= 1024:
        raise BadRequest("--ray-painters takes a lowest and a highest number, 1 to 1024.")
    return RaySettings(address, lowest, highest) if address else None


def token_in(path: Path | None) -> str:
    """The token in a file, or a new one (kept in the file, when one is named).

    One that another user could have written is refused: they would know it. Raises CannotServe.
    """
    from acetate.app.server import CannotServe

    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    if path is None:
        return fresh
    if not path.exists():
        if not path.parent.exists():
            make_private(path.parent)
        # Of two that start at once the first one's token is that of both.
        with contextlib.suppress(FileExistsError):
            write_private(path, fresh + "\n", replace=False)
            return fresh
    try:
        token = read_owned(path).strip()
    except UnicodeDecodeError:
        token = ""
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotServe(f"The token cannot be taken from {path}: {reason}.") from None
    whole = TOKEN_BYTES <= len(token) <= LONGEST_TOKEN and " " not in token
    if not (whole and token.isascii() and token.isprintable()):
        raise CannotServe(
            f"{path} does not hold a token: remove it, and a good one will be written."
        )
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    return token
