"""A painter that asks another server of models: vLLM-Omni, by the interface that it documents.

`POST /v1/images/edits` takes the picture and gives the layers of Qwen-Image-Layered as PNG with
alpha (https://docs.vllm.ai/projects/vllm-omni, "Image Edit API"). It batches what comes together,
so several of these painters may ask one server.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import http.client
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np

from acetate.errors import AcetateError, BadRequest, Interrupted
from acetate.images.decoding import decode_picture
from acetate.images.frame_pixels import resample
from acetate.models.registry import model_named
from acetate.modes.naming import layer_name
from acetate.workers.engine import Announcement
from acetate.workers.generator_api import Note, PainterStep
from acetate.workers.known_offer import offer_of, official_models
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.png import write_png
from acetate_bridge.protocol.types import Image, Layer, PixelFormat, Request, Role

SERVED = {"Qwen/Qwen-Image-Layered": "qwen-layered"}
"""What such servers have with transparency in and out, and what it is called here."""
LOST = "rack_lost"
_ASKING_SECONDS = 10.0
_PAINTING_SECONDS = 900.0
_MOST_BYTES = 2**30


class RackLost(AcetateError):
    """The server does not answer, or not as it documents; another try may succeed."""

    code = LOST


@dataclass(frozen=True)
class RackAddress:
    """Where such a server listens."""

    secure: bool
    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> RackAddress:
        """Of `http://host:port`, with or without `/v1`. Raises BadRequest."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
            parts = urlsplit("")
        good = parts.scheme in ("http", "https") and parts.path.rstrip("/") in ("", "/v1")
        if not good or not host or parts.query or parts.username:
            raise BadRequest(f"--engine takes an address such as http://rack:8000, not “{text}”.")
        secure = parts.scheme == "https"
        return cls(secure, host, port or (443 if secure else 80))

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"

    def connect(self, seconds: float) -> http.client.HTTPConnection:
        """A connection, not yet made."""
        if self.secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=seconds, context=context
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=seconds)


class RackPainter:
    """Paints one request at a time, in a thread; `stop` may be called from any."""

    def __init__(self, address: RackAddress) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None
        self._stopped = threading.Event()

    @property
    def address(self) -> RackAddress:
        """Of the server."""
        return self._address

    def announce(self) -> Announcement:
        """What the server has. Blocks; raises RackLost."""
        status, found = self._ask("GET", "/v1/models", None, "", _ASKING_SECONDS)
        if status != 200:
            raise RackLost(f"the server at {self._address.text} names no models (HTTP {status})")
        served = {str(each.get("id")) for each in map(_object, found.get("data") or [])}
        ids = {SERVED[name] for name in served & set(SERVED)}
        models = [
            replace(model, state="ready", progress=1.0, reason="", licences=[], styles=[])
            for model in official_models()
            if model.id in ids
        ]
        return offer_of(models)

    def begin(self) -> None:
        """The next job may be stopped anew."""
        self._stopped.clear()

    def stop(self) -> None:
        """End what is being painted: the server drops what nobody waits for."""
        self._stopped.set()
        if (connection := self._connection) is not None and connection.sock is not None:
            # Wakes the thread that reads from it.
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def paint(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Sequence[Layer]:
        """See `Painter.paint`. Raises RackLost, BadRequest, Interrupted."""
        recipe = request.recipe
        if recipe.mode != "decompose":
            raise BadRequest("The server that was asked only splits pictures into layers.")
        on_step(Note("Painted by vLLM-Omni: its model's files are not checked here."))
        pictures = self._layers_of(request)
        layers = [
            Layer(
                _fitted(picture, Size(recipe.width, recipe.height), request.pixel_format),
                Role.FOREGROUND if index else Role.BACKGROUND,
                f"{layer_name(recipe.prompt)} {index + 1}",
                recipe=recipe,
            )
            for index, picture in enumerate(pictures)
        ]
        on_step(PainterStep(1, 1, lambda: layers[-1].image))
        return layers

    def _layers_of(self, request: Request) -> list[Image]:
        recipe = request.recipe
        served = {here: there for there, here in SERVED.items()}
        entry = model_named(recipe.model)
        kind, body = _form(
            {
                "model": served[entry.id],
                "prompt": recipe.prompt,
                "negative_prompt": recipe.negative_prompt or " ",
                "layers": str(recipe.layers),
                "resolution": str(entry.native),
                "num_inference_steps": str(recipe.steps),
                "true_cfg_scale": str(recipe.guidance),
                "seed": str(recipe.seed),
                "response_format": "b64_json",
                "output_format": "png",
            },
            write_png(_eight_bits(request.images["picture"])),
        )
        status, found = self._ask("POST", "/v1/images/edits", body, kind, _PAINTING_SECONDS)
        if status in (400, 422):
            raise BadRequest("The server that was asked cannot paint this: see its log.")
        if status != 200:
            raise RackLost(f"the server at {self._address.text} could not paint (HTTP {status})")
        try:
            pictures = [
                decode_picture(base64.b64decode(each["b64_json"], validate=True))
                for each in found["data"]
            ]
        except (AcetateError, binascii.Error, KeyError, TypeError, ValueError):
            pictures = []
        if len(pictures) != recipe.layers:
            raise RackLost(
                f"the server at {self._address.text} gave {len(pictures)} layers, "
                f"not {recipe.layers}"
            )
        return pictures

    def _ask(
        self, method: str, path: str, body: bytes | None, kind: str, seconds: float
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object. Raises RackLost, Interrupted."""
        connection = self._connection = self._address.connect(seconds)
        try:
            headers = {"Content-Type": kind} if body is not None else {}
            connection.request(method, path, body, headers)
            if self._stopped.is_set():
                raise Interrupted
            answer = connection.getresponse()
            found: Any = read_json(answer.read(_MOST_BYTES) or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._stopped.is_set():
                raise Interrupted from error
            words = type(error).__name__
            raise RackLost(
                f"the server at {self._address.text} does not answer ({words})"
            ) from error
        finally:
            self._connection = None
            connection.close()
        return answer.status, _object(found)


def _object(found: Any) -> dict[str, Any]:
    """What was read as a JSON object; an empty one for anything else."""
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _form(fields: dict[str, str], picture: bytes) -> tuple[str, bytes]:
    """Media type and body of a form with a picture."""
    edge = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, value in fields.items():
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts += [head.encode(), value.encode(), b"\r\n"]
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="picture.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    parts += [head.encode(), picture, f"\r\n--{edge}--\r\n".encode()]
    return f"multipart/form-data; boundary={edge}", b"".join(parts)


def _eight_bits(image: Image) -> Image:
    if image.format == "rgba8":
        return image
    samples = np.frombuffer(image.data, "<u2").astype(np.uint32)
    narrow = ((samples + 128) // 257).astype(np.uint8)
    return Image(image.width, image.height, narrow.tobytes(), "rgba8")


def _fitted(image: Image, size: Size, form: PixelFormat) -> Image:
    """At a size, its colour weighted by its alpha, in the depth that was asked for."""
    image = _eight_bits(image)
    if form == "rgba16":
        wide = np.frombuffer(image.data, np.uint8).astype("<u2") * 257
        image = Image(image.width, image.height, wide.tobytes(), "rgba16")
    return (
        image if (image.width, image.height) == (size.width, size.height) else resample(image, size)
    )
