"""A stand-in for vLLM-Omni, with the part of its documented interface that splits pictures.

`POST /v1/images/edits` takes a form and gives `data[].b64_json`, PNGs with alpha; as many as
`layers` says, each with an alpha of its own over the picture that was sent.
"""

from __future__ import annotations

import base64
import email.parser
import email.policy
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from acetate_bridge.protocol.png import read_png, write_png
from acetate_bridge.protocol.types import Image

MODEL = "Qwen/Qwen-Image-Layered"


class RackServer:
    """Listens from entry to exit; `asked` are the forms, `most_at_once` how many came together."""

    def __init__(self, model: str = MODEL) -> None:
        self.model, self.asked = model, []
        self.hold = threading.Event()
        self.hold.set()
        self.status, self.missing = 200, 0
        self.most_at_once, self._now = 0, 0
        self._lock = threading.Lock()
        rack = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                rack.answer(self, 200, {"object": "list", "data": [{"id": rack.model}]})

            def do_POST(self) -> None:
                rack.edit(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    asked: list[dict[str, Any]]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> RackServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.hold.set()
        self._server.shutdown()
        self._thread.join(30)
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            pass  # It hung up.

    def edit(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        form = self._form(handler.headers["Content-Type"], body)
        with self._lock:
            self.asked.append(form)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        self.hold.wait(600)
        with self._lock:
            self._now -= 1
        if form["model"] != self.model or handler.path != "/v1/images/edits":
            self.answer(handler, 400, {"detail": "Model mismatch"})
            return
        if self.status != 200:
            self.answer(handler, self.status, {"detail": "Diffusion engine not initialized."})
            return
        picture = form["image"]
        many = int(form["layers"]) - self.missing
        data = [
            {"b64_json": base64.b64encode(write_png(shade(picture, index))).decode(), "url": None}
            for index in range(many)
        ]
        self.answer(handler, 200, {"created": 1, "data": data})

    def _form(self, kind: str, body: bytes) -> dict[str, Any]:
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        fields: dict[str, Any] = {}
        for part in parser.parsebytes(head + body).iter_parts():
            name = part.get_param("name", header="Content-Disposition")
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            is_picture = part.get_filename() is not None
            fields[str(name)] = read_png(content) if is_picture else content.decode()
        return fields


def shade(picture: Image, index: int) -> Image:
    """The picture with the alpha of a layer."""
    pixels = bytearray(picture.data)
    pixels[3::4] = bytes([255 - 60 * index]) * (picture.width * picture.height)
    return Image(picture.width, picture.height, bytes(pixels))
