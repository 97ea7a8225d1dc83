"""Opening the page signed in: a link with a one-time code, and the key that it is exchanged for."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import hdrs, web

from acetate.app.auth import KEYS_PATH as KEYS_PATH
from acetate.app.context import CONTEXT
from acetate.app.responses import answer, refusal
from acetate.app.sign_in_codes import CODE_SECONDS


@dataclass(frozen=True)
class PageLink:
    """Answer of `/v1/links`: where the page opens signed in, once, within `seconds`.

    The code stands behind the `#`, which no browser sends and no log keeps.
    """

    path: str
    seconds: float


@dataclass(frozen=True)
class PageKey:
    """Answer of `/v1/page-keys`: a bearer for this server's life."""

    key: str


async def make_link(request: web.Request) -> web.Response:
    code = request.app[CONTEXT].sign_in.new_code()
    return answer(PageLink(f"/#open={code}", CODE_SECONDS), 201)


async def make_page_key(request: web.Request) -> web.Response:
    """Takes the code where others have the token, so that it is in no address and no body."""
    code = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
    key = request.app[CONTEXT].sign_in.redeem(code)
    if key is None:
        return refusal(
            401,
            "used_link",
            "This link has been used, or is too old.",
            "Open the page again with acetate open, or from the panel.",
        )
    return answer(PageKey(key), 201)
