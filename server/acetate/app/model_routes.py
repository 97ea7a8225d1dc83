"""Models over plain HTTP: what there is, fetch, pause, remove."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from acetate.app.bodies import read_json
from acetate.app.context import CONTEXT
from acetate.app.responses import answer, refusal
from acetate.app.validation import build
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.messages import Limits, ModeInfo, ModelInfo

_LOOK_SECONDS = 10.0


@dataclass(frozen=True)
class Offer:
    """Answer of `/v1/models`."""

    models: list[ModelInfo]
    modes: list[ModeInfo]
    limits: Limits


@dataclass(frozen=True)
class PullOrder:
    """`accepted` are those licences of the model that a person has read and accepted, by name."""

    accepted: list[str] = field(default_factory=list[str])


async def models(request: web.Request) -> web.Response:
    manager = request.app[CONTEXT].manager
    offer = manager.offer or Announcement([], [])
    return answer(Offer(offer.models, offer.modes, manager.limits))


async def look_again(request: web.Request) -> web.Response:
    await request.app[CONTEXT].manager.renew_offer(_LOOK_SECONDS)
    return await models(request)


async def show_model(request: web.Request) -> web.Response:
    return _model_answer(request, 200)


async def pull_model(request: web.Request) -> web.Response:
    order = build(PullOrder, await read_json(request))
    request.app[CONTEXT].downloads.pull(request.match_info["model"], order.accepted)
    return _model_answer(request, 202)


async def pause_model(request: web.Request) -> web.Response:
    await request.app[CONTEXT].downloads.pause(request.match_info["model"])
    return _model_answer(request, 200)


async def remove_model(request: web.Request) -> web.Response:
    await request.app[CONTEXT].downloads.remove(request.match_info["model"])
    return _model_answer(request, 202)


def _model_answer(request: web.Request, status: int) -> web.Response:
    model = request.app[CONTEXT].manager.offers.model(request.match_info["model"])
    if model is None:
        return refusal(404, "unknown_model", "There is no such model.")
    return answer(model, status)
