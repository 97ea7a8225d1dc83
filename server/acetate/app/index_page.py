"""The local page: it holds no secret, so it can be the answer that asks for the token."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web

from acetate_bridge.protocol.licences import LINKS

SCRIPTS = ("ask.js", "form.js", "jobs.js", "setup.js", "models.js", "main.js")
"""In the order in which they need each other."""


async def page(request: web.Request) -> web.Response:
    """The page for somebody who sent the token."""
    return _respond(200)


def sign_in(request: web.Request) -> web.Response | None:
    """The page as the answer to a browser that has no token yet; it asks for one."""
    if request.method == hdrs.METH_GET and request.path == "/":
        response = _respond(401)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return None


def _respond(status: int) -> web.Response:
    text, policy = _document()
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={"Content-Security-Policy": policy},
    )


@cache
def _document() -> tuple[str, str]:
    """The page and a policy that lets exactly its own script and style run."""
    folder = files("acetate.app") / "page"

    def read(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    style = "\n" + read("page.css")
    licences = f"const LICENCES = {json.dumps(LINKS)};\n"
    script = '\n"use strict";\n' + licences + "".join(map(read, SCRIPTS))
    text = read("index.html")
    text = text.replace("<!-- style -->", f"<style>{style}</style>")
    text = text.replace("<!-- script -->", f"<script>{script}</script>")
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "connect-src 'self'; img-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return text, policy


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
