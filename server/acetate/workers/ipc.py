"""What server and worker process say to each other: msgpack with a payload, over pipes.

The pixels of a result are the payload, apart from the message, so that megabytes are not copied
into a message and out of it again.
"""

from __future__ import annotations

import contextlib
import struct
import sys
from typing import IO, Any, cast

import msgspec

from acetate_bridge.protocol.json_text import wellformed
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo, Preview, Progress
from acetate_bridge.protocol.types import Image, Layer, PixelFormat, Recipe, Request, Role

DEVICE_LOST = "device_lost"
"""The code of `DeviceLost`, by name so that nobody needs torch for it."""

_LENGTHS = struct.Struct("<QQ")


class WorkerSettings(msgspec.Struct, frozen=True):
    """How a worker process is set up. `painter` is `module:function`, see `workers.painter`.

    `parent` is the process id of the server, 0 where it does not matter; `log_format`, see `logs`.
    """

    device: str
    models_folder: str
    painter: str
    beat_seconds: float = 2.0
    preview_seconds: float = 0.25
    parent: int = 0
    log_format: str = "text"


class Paint(msgspec.Struct, frozen=True, tag="paint"):
    """Paint this; a worker does one at a time."""

    job: str
    request: Request


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop this job within a step."""

    job: str


class LookAgain(msgspec.Struct, frozen=True, tag="look"):
    """Models have come or gone: say what there is, between two jobs."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker has started, or looked again."""

    models: list[ModelInfo]
    modes: list[ModeInfo]


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The process lives (sent while it is busy)."""


class StepDone(msgspec.Struct, frozen=True, tag="step"):
    """How far a job is, over all of its variants."""

    event: Progress


class PreviewMade(msgspec.Struct, frozen=True, tag="preview"):
    """A rough picture of the variant that is being painted."""

    event: Preview


class LayerPainted(msgspec.Struct, frozen=True, tag="layer"):
    """See `engine.Painted`; the pixels are the payload."""

    job: str
    variant: int
    role: Role
    name: str
    x: int
    y: int
    recipe: Recipe | None
    width: int
    height: int
    format: PixelFormat

    @classmethod
    def of(cls, job: str, layer: Layer, variant: int) -> LayerPainted:
        """All of a layer but its pixels."""
        image = layer.image
        return cls(
            job,
            variant,
            layer.role,
            layer.name,
            layer.x,
            layer.y,
            layer.recipe,
            image.width,
            image.height,
            image.format,
        )

    def layer(self, pixels: bytes) -> Layer:
        """The layer with its pixels; raises ValueError when they do not fill it."""
        image = Image(self.width, self.height, pixels, self.format)
        return Layer(image, self.role, self.name, self.x, self.y, self.recipe)


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


ToWorker = Paint | Stop | LookAgain
FromWorker = Ready | Beat | StepDone | PreviewMade | LayerPainted | Finished | Stopped | Broken

_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def send(stream: IO[bytes], message: ToWorker | FromWorker, payload: bytes = b"") -> None:
    """Write one message; raises OSError when the other side is gone."""
    try:
        body = _encoder.encode(message)
    except UnicodeEncodeError:
        # A file name that is no text, in an error or a list of models: a mark instead of it.
        body = _encoder.encode(_wellformed(msgspec.to_builtins(message)))
    stream.write(_LENGTHS.pack(len(body), len(payload)))
    stream.write(body)
    if payload:
        stream.write(payload)
    stream.flush()


def _wellformed(value: Any) -> Any:
    """Plain values with all strings fit to be written."""
    if isinstance(value, str):
        return wellformed(value)
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {wellformed(name): _wellformed(entry) for name, entry in entries.items()}
    if isinstance(value, list):
        return [_wellformed(entry) for entry in cast("list[Any]", value)]
    return value


def receive_in_worker(stream: IO[bytes]) -> ToWorker | None:
    """The next message for the worker, or None when the server is gone."""
    parts = _receive(stream)
    return None if parts is None else _to_worker.decode(parts[0])


def receive_in_server(stream: IO[bytes]) -> tuple[FromWorker, bytes] | None:
    """The next message for the server and its payload, or None when the worker is gone."""
    parts = _receive(stream)
    return None if parts is None else (_from_worker.decode(parts[0]), parts[1])


def _receive(stream: IO[bytes]) -> tuple[bytes, bytes] | None:
    prefix = stream.read(_LENGTHS.size)
    if len(prefix) < _LENGTHS.size:
        return None
    lengths = _LENGTHS.unpack(prefix)
    body, payload = (stream.read(length) for length in lengths)
    return (body, payload) if (len(body), len(payload)) == lengths else None


def widen(stream: IO[bytes], size: int = 2**20) -> None:
    """Let a pipe hold more than 64 KiB where the system can, so that pixels pass in fewer turns."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, size)
