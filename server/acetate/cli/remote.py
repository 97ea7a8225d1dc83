"""Painting at a server instead of in this process, with the editors' own client."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from acetate.app.webp import register_webp
from acetate.errors import AcetateError
from acetate_bridge.client.client import Client
from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.protocol.messages import (
    Cancelled,
    Done,
    Event,
    Failed,
    LayerReady,
    Preview,
    Progress,
)
from acetate_bridge.protocol.types import Image, Layer, Request


class ServerFailed(AcetateError):
    """The server could not be reached, or could not paint."""

    code = "server_failed"


@dataclass(frozen=True)
class RemoteProgress:
    """What can be shown meanwhile: the stage and step of the job, or how the connection stands."""

    stage: str
    step: int = 0
    steps: int = 0
    seconds_left: float = -1.0
    message: str = ""
    preview: Image | None = None


def generate_on_server(
    request: Request,
    on_progress: Callable[[RemoteProgress], None] | None = None,
    *,
    address: str | None = None,
    token: str | None = None,
    start: bool = False,
    command: Sequence[str] | None = None,
    patience: float = 15.0,
) -> list[Layer]:
    """Layers of a request, painted by the server at `address` or the one of this machine.

    `start` starts a server in the background when none runs, by `command`. `patience` is how many
    seconds a server may be unreachable before the first connection; afterwards a lost connection
    is waited for. A callback that raises, and an interrupt from the keyboard, cancel the job.
    Raises ServerFailed.
    """
    register_webp()
    news: queue.Queue[Event | State] = queue.Queue()
    client = Client(
        f"cli-{uuid.uuid4().hex}",
        news.put,
        news.put,
        address=address,
        token=token,
        command=command,
    )
    if start:
        client.start_server()
    client.start()
    job = client.submit(request)
    ended = False
    try:
        layers = _follow(news, on_progress or (lambda progress: None), start, patience, address)
        ended = True
        client.acknowledge(job)
        return layers
    finally:
        if not ended:
            client.cancel(job)
        client.stop()


def _follow(
    news: queue.Queue[Event | State],
    on_progress: Callable[[RemoteProgress], None],
    start: bool,
    patience: float,
    address: str | None,
) -> list[Layer]:
    """Layers in their order, once the job is done."""
    layers: dict[int, Layer] = {}
    connected = False
    state: State | None = None
    while True:
        try:
            item = news.get(timeout=None if connected or start else patience)
        except queue.Empty:
            raise _unreachable(state) from None
        if isinstance(item, State):
            state = item
            connected = connected or item.connection is Connection.READY
            if item.connection is Connection.REFUSED and not connected:
                raise _unreachable(item)
            if item.connection is Connection.NO_SERVER and not connected:
                raise _unreachable(item) if address is None else _nobody_at(address)
            on_progress(RemoteProgress(item.connection.value, message=item.message))
        elif isinstance(item, Progress):
            on_progress(RemoteProgress(item.stage, item.step, item.steps, item.seconds_left))
        elif isinstance(item, Preview):
            on_progress(RemoteProgress("preview", preview=item.image))
        elif isinstance(item, LayerReady):
            layers[item.index] = item.layer
        elif isinstance(item, Failed):
            raise ServerFailed(item.message, item.hint)
        elif isinstance(item, Cancelled):
            raise ServerFailed("The job was cancelled at the server.")
        elif isinstance(item, Done):
            return [layers[index] for index in sorted(layers)]


def _nobody_at(address: str) -> ServerFailed:
    return ServerFailed(
        f"No server whose token is known answers at {address}.",
        "`acetate serve` shows its address as it starts: name its token with --token-file; or, "
        f"for a shared one, pair with it: acetate connect {address} --code CODE",
    )


def _unreachable(state: State | None) -> ServerFailed:
    if state is None:
        return ServerFailed("The server does not answer.", "Start it: acetate serve")
    return ServerFailed(state.message, state.cure)
