"""What server and worker process say to each other: length-prefixed msgpack over pipes."""

from __future__ import annotations

import struct
from typing import IO

import msgspec

from acetate_bridge.messages import Image, Layer, Request
from acetate_bridge.protocol import ModeInfo, ModelInfo, Stage

_LENGTH = struct.Struct("<Q")


class WorkerSettings(msgspec.Struct, frozen=True):
    """How a worker process is set up. `painter` is `module:function`, see `workers.painter`."""

    device: str
    models_folder: str
    painter: str
    beat_seconds: float = 2.0
    preview_seconds: float = 0.25


class Paint(msgspec.Struct, frozen=True, tag="paint"):
    """Paint this; a worker does one at a time."""

    job: str
    request: Request


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop this job within a step."""

    job: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker has started."""

    models: list[ModelInfo]
    modes: list[ModeInfo]


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The process lives (sent while it is busy)."""


class StepDone(msgspec.Struct, frozen=True, tag="step"):
    """See `engine.Stepped`."""

    job: str
    stage: Stage
    step: int = 0
    steps: int = 0
    seconds_left: float = -1.0


class PreviewMade(msgspec.Struct, frozen=True, tag="preview"):
    """See `engine.Previewed`."""

    job: str
    image: Image
    variant: int


class LayerPainted(msgspec.Struct, frozen=True, tag="layer"):
    """See `engine.Painted`."""

    job: str
    layer: Layer
    variant: int


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """All layers of the job have been sent."""

    job: str


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """The job was stopped as asked."""

    job: str


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The job cannot be painted."""

    job: str
    code: str
    message: str
    hint: str = ""


ToWorker = Paint | Stop
FromWorker = Ready | Beat | StepDone | PreviewMade | LayerPainted | Finished | Stopped | Broken

_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def send(stream: IO[bytes], message: ToWorker | FromWorker) -> None:
    """Write one message; raises OSError when the other side is gone."""
    body = _encoder.encode(message)
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def receive_in_worker(stream: IO[bytes]) -> ToWorker | None:
    """The next message for the worker, or None when the server is gone."""
    body = _receive(stream)
    return None if body is None else _to_worker.decode(body)


def receive_in_server(stream: IO[bytes]) -> FromWorker | None:
    """The next message for the server, or None when the worker is gone."""
    body = _receive(stream)
    return None if body is None else _from_worker.decode(body)


def _receive(stream: IO[bytes]) -> bytes | None:
    prefix = stream.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(prefix)
    body = stream.read(length)
    return body if len(body) == length else None
