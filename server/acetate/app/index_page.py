"""The small local page: it holds no secret, so it can be the answer that asks for the token."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web


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
    text = (files("acetate.app") / "page.html").read_text(encoding="utf-8")
    script, style = (_digest(text, tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; "
        "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


def _digest(text: str, tag: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    assert found is not None
    digest = hashlib.sha256(found.group(1).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
