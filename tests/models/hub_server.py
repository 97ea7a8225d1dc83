"""A small hub on loopback, with the manners that matter: ranges, redirects, refusals, cuts."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "e337e9d7a0f2a6fee6c3580374327380f88d065b"


@dataclass
class Hub:
    """What the hub holds, `repository -> name -> bytes`, and how it shall behave."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    """Gated repositories that tell everybody what they hold."""
    redirected: bool = False
    cuts: int = 0
    """How many of the next downloads break off at 40 %."""
    tampered: bool = False
    elsewhere: str = ""
    """Where redirects lead, if not to the hub itself."""
    pace: float = 0.0
    """Seconds that 64 KiB take."""
    ranges: list[str] = field(default_factory=list)
    sent: int = 0

    def __enter__(self) -> Hub:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def store(self) -> str:
        return self.elsewhere or self.address


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/[^/]+)?", path):
            self._describe(match[1])
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/auth-check", path):
            if not self._refused(match[1]):
                self._send_file(b"{}")
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._serve(match[1], match[2])
        elif match := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            self._send_file(self.hub.files[match[1]][match[2]])
        else:
            self._refuse(404, "EntryNotFound")

    def _describe(self, repository: str) -> None:
        if repository not in self.hub.listed and self._refused(repository):
            return
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "lfs": {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 134,
                },
            }
            for name, content in self.hub.files[repository].items()
        ]
        body = json.dumps(
            {
                "id": repository,
                "sha": COMMIT,
                "siblings": siblings,
                "gated": "manual" if repository in self.hub.gated else False,
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _serve(self, repository: str, name: str) -> None:
        if self._refused(repository):
            return
        content = self.hub.files[repository].get(name)
        if content is None:
            self._refuse(404, "EntryNotFound")
        elif self.hub.redirected:
            self.send_response(302)
            self.send_header("Location", f"{self.hub.store}/cdn/{repository}/{name}")
            self._facts(content)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send_file(content)

    def _send_file(self, content: bytes) -> None:
        start = 0
        if asked := self.headers.get("Range"):
            self.hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self._facts(content)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        body = content if not self.hub.tampered else bytes(len(content))
        if self.hub.cuts:
            self.hub.cuts -= 1
            body = body[: len(content) * 2 // 5]
            self.close_connection = True
        for at in range(start, len(body), 1 << 16):
            time.sleep(self.hub.pace)
            piece = body[at : at + (1 << 16)]
            try:
                self.wfile.write(piece)
            except ConnectionError:
                self.close_connection = True
                return
            self.hub.sent += len(piece)

    def _facts(self, content: bytes) -> None:
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(len(content)))

    def _refused(self, repository: str) -> bool:
        if repository in self.hub.gated:
            self._refuse(401, "GatedRepo")
        elif repository not in self.hub.files:
            self._refuse(404, "RepoNotFound")
        else:
            return False
        return True

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
