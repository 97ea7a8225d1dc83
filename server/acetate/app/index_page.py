"""The local page: it holds no secret, so it can be the answer that asks for the token."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web

from acetate.app.page_words import ASPECTS, LANGUAGES, ROLES, SERVER_SENTENCES, page_catalogs
from acetate.models.families import FAMILIES
from acetate_bridge.panel.fields import FIELDS, Field
from acetate_bridge.panel.guides import KIND_WORDS
from acetate_bridge.protocol.licences import LINKS
from acetate_bridge.protocol.limits import (
    CONTROL_STRENGTH,
    GUIDANCE,
    LONGEST_SIDE,
    SEED,
    STEPS,
    STYLE_WEIGHT,
    VARIANTS,
    Bound,
)
from acetate_bridge.protocol.modes import FILL_STRENGTH, MODES
from acetate_bridge.protocol.seeds import DRAWN
from acetate_bridge.protocol.types import Recipe

SCRIPTS = (
    "ask.js",
    "language.js",
    "fields.js",
    "guides.js",
    "form.js",
    "jobs.js",
    "setup.js",
    "models.js",
    "main.js",
)
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
    tables = "".join(
        f"const {name} = {json.dumps(table, ensure_ascii=False)};\n"
        for name, table in _tables().items()
    )
    script = '\n"use strict";\n' + tables + "".join(map(read, SCRIPTS))
    text = read("index.html")
    text = text.replace("<!-- style -->", f"<style>{style}</style>")
    text = text.replace("<!-- script -->", f"<script>{script}</script>")
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "connect-src 'self'; img-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return text, policy


def _tables() -> dict[str, object]:
    """What the page reads of the tables that everybody reads, by the name that it has there."""
    recipe = {field.name for field in dataclasses.fields(Recipe)}
    own = [field for field in FIELDS.values() if field.name in recipe]
    return {
        "LICENCES": LINKS,
        "CATALOGS": page_catalogs(),
        "LANGUAGES": LANGUAGES,
        "SERVER_SENTENCES": SERVER_SENTENCES,
        "ROLES": dict(ROLES),
        "FIELDS": [row for field in own if (row := _row(field))["modes"]],
        "BOUNDS": {name: _ends(bound) for name, bound in BOUNDS.items()},
        "DRAWN_SEEDS": DRAWN,
        "FILL_STRENGTH": FILL_STRENGTH,
        "KINDS": KIND_WORDS,
        "ASPECTS": ASPECTS,
        "UNPROMPTED": [name for name, mode in MODES.items() if not mode.prompted],
        "OWN_PIXELS": [name for name, mode in MODES.items() if mode.own_pixels],
        "ASPECT_FAMILIES": [name for name, row in FAMILIES.items() if row.aspects],
    }


_SIDE = Bound(1, LONGEST_SIDE, "A picture has {least} to {most} pixels a side")
BOUNDS = {
    "width": _SIDE,
    "height": _SIDE,
    "variants": VARIANTS,
    "steps": STEPS,
    "guidance": GUIDANCE,
    "seed": SEED,
    "style": STYLE_WEIGHT,
    "control": CONTROL_STRENGTH,
}
"""What the numbers of the page may be, by their element or what they weigh."""


def _ends(bound: Bound | None) -> dict[str, float]:
    if bound is None:
        return {}
    return {"least": bound.lowest, "most": bound.most, "step": bound.step}


def _row(field: Field) -> dict[str, object]:
    """A setting that only some modes have, as the page draws it."""
    return {
        "name": field.name,
        "label": field.words,
        "tip": field.tip,
        "kind": field.kind,
        "default": field.default,
        "choices": field.choices,
        "modes": [name for name, mode in MODES.items() if field.name in mode.fields],
        **_ends(field.bound),
    }


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
