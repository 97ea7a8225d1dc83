"""The application: settings in, something that aiohttp can run out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from acetate.app.auth import Gate, guard, is_pairing, names_for
from acetate.app.challenges import Challenges
from acetate.app.connections import admit
from acetate.app.context import CONTEXT, Context
from acetate.app.incoming import Incoming
from acetate.app.index_page import sign_in
from acetate.app.layer_encoding import PackedLayers
from acetate.app.outgoing import Outgoing
from acetate.app.refusal_log import REFUSALS
from acetate.app.responses import in_our_words, route_of
from acetate.app.route_table import ROUTES, known_query
from acetate.app.script_feed import ScriptFeed
from acetate.app.settings import GENERATOR, Settings
from acetate.app.share_codes import Sharing
from acetate.app.sign_in_codes import SignIn
from acetate.app.uploads import Uploads
from acetate.app.webp import register_webp
from acetate.jobs.async_store import Ledger
from acetate.jobs.downloads import Downloads
from acetate.jobs.manager import Manager
from acetate.workers.engine import Engine
from acetate.workers.ipc import WorkerSettings
from acetate.workers.known_offer import known_offer
from acetate.workers.supervisor import WorkerEngine
from acetate_bridge.protocol.proof import CHALLENGE_HEADER

log = logging.getLogger("acetate.http")


def make_engines(settings: Settings) -> list[Engine]:
    """A worker process for each device, or the painters of a cluster that was joined."""

    def worker(device: str) -> WorkerSettings:
        folder = str(settings.models_folder)
        return WorkerSettings(device, folder, settings.painter, log_format=settings.log_format)

    racks: list[Engine] = []
    if settings.racks:
        from acetate.workers.rack_engine import SLOTS, RackEngine
        from acetate.workers.rack_painter import RackAddress

        addresses = [RackAddress.read(each) for each in settings.racks for _ in range(SLOTS)]
        racks += [RackEngine(address, number) for number, address in enumerate(addresses)]
    if settings.ray is not None:
        from acetate.workers.ray_engine import RayEngine

        wanted = worker(settings.devices[0])
        many = range(settings.ray.highest)
        return [*(RayEngine(wanted, settings.ray, number) for number in many), *racks]
    return [
        *(WorkerEngine(worker(device), settings.patience) for device in settings.devices),
        *racks,
    ]


def create_app(
    settings: Settings,
    ledger: Ledger,
    engines: list[Engine],
    port: Callable[[], int],
    sharing: Sharing | None = None,
) -> web.Application:
    """The application around an open ledger; `port` is the one that is listened on by then.

    What comes encrypted is from other machines, and needs the token of `sharing`.
    """
    register_webp()
    expected = known_offer if settings.painter == GENERATOR else None
    manager = Manager(ledger, engines, settings.limits, expected)
    names, any_address = names_for(settings.host, settings.hosts)
    challenges = Challenges(settings.token)
    codes = SignIn()

    there = Challenges(sharing.token) if sharing is not None else None

    def gate(request: web.Request) -> Gate:
        if request.secure and sharing is not None:
            return Gate(sharing.token, port(), names, True, there, codes, shared=True)
        return Gate(settings.token, port(), names, any_address, challenges, codes)

    app = web.Application(
        middlewares=[in_our_words, _notice, guard(gate, sign_in), _let_in, known_query],
        client_max_size=settings.limits.message_bytes,
    )
    downloads = Downloads(
        manager.offers, settings.models_folder, manager.look_again, settings.downloader
    )
    packed, scripts = PackedLayers(ledger), ScriptFeed(manager)
    app[CONTEXT] = Context(
        settings,
        ledger,
        manager,
        packed,
        downloads,
        Uploads(ledger),
        scripts,
        Incoming(settings.limits.message_bytes),
        Outgoing(settings.limits.message_bytes),
        codes,
        sharing,
    )
    for route in ROUTES:
        # aiohttp would answer HEAD by itself; the table says what there is, and nothing else is.
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, allow_head=False)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    app.cleanup_ctx.append(_run_manager)
    app.on_shutdown.append(_drain)
    app.on_response_prepare.append(_name_no_software)
    return app


async def _run_manager(app: web.Application) -> AsyncIterator[None]:
    context = app[CONTEXT]
    await context.manager.open()
    yield
    context.ledger.close()


async def _drain(app: web.Application) -> None:
    """Running jobs may end, and be heard of, before the sessions do."""
    context = app[CONTEXT]
    await context.downloads.close()
    await context.manager.close(context.settings.drain_seconds)
    for session in list(app[CONTEXT].sessions.values()):
        await session.close()


@web.middleware
async def _notice(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Notes refusals without anything that the client made up, and not too many of them."""
    response = await handler(request)
    if response.status == 401 and CHALLENGE_HEADER in request.headers:
        return response  # The beginning of a handshake.
    if response.status == 401 and response.content_type == "text/html":
        return response  # The page, which every browser opens before it can sign in.
    if response.status >= 400 and REFUSALS.may_say():
        log.info("%s %s answered %s", request.method, route_of(request), response.status)
    return response


@web.middleware
async def _let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whoever has passed the guard keeps its connection, and an idle server awake."""
    if not is_pairing(request):
        admit(request)
    request.app[CONTEXT].touch()
    return await handler(request)


async def _name_no_software(request: web.Request, response: web.StreamResponse) -> None:
    """Strangers need not know which library, and which version of it, reads what they send."""
    response.headers.pop("Server", None)
