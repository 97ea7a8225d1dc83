"""What the handlers share, kept in the application under one key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from acetate.app.incoming import Incoming
from acetate.app.layer_encoding import PackedLayers
from acetate.app.outgoing import Outgoing
from acetate.app.script_feed import ScriptFeed
from acetate.app.settings import Settings
from acetate.app.share_codes import Sharing
from acetate.app.sign_in_codes import SignIn
from acetate.app.uploads import Uploads
from acetate.app.websocket import Session
from acetate.jobs.async_store import Ledger
from acetate.jobs.downloads import Downloads
from acetate.jobs.manager import Manager


@dataclass
class Context:
    """`touch` is called for everything a client does, so that an idle server can leave."""

    settings: Settings
    ledger: Ledger
    manager: Manager
    packed: PackedLayers
    downloads: Downloads
    uploads: Uploads
    scripts: ScriptFeed
    incoming: Incoming
    outgoing: Outgoing
    sign_in: SignIn = field(default_factory=SignIn)
    sharing: Sharing | None = None
    touch: Callable[[], None] = lambda: None
    sessions: dict[asyncio.Task[object], Session] = field(
        default_factory=dict[asyncio.Task[object], Session]
    )


CONTEXT = web.AppKey("context", Context)
