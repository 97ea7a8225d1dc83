"""Where a picture of some size is painted, for pages and scripts that have no bridge."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from acetate.app.bodies import read_json
from acetate.app.context import CONTEXT
from acetate.app.responses import answer, refusal
from acetate.app.validation import build
from acetate.models.families import frames_of
from acetate_bridge.protocol.frame_planning import FrameLimits, plan_frame
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.limits import LONGEST_SIDE
from acetate_bridge.protocol.modes import mode_row


@dataclass(frozen=True)
class FrameWish:
    """The size in pixels that shall come back, the model that is to paint it, and in which mode."""

    width: int
    height: int
    model: str = ""
    mode: str = "text"


async def plan(request: web.Request) -> web.Response:
    """The `Frame` to submit: what the model is to see around the picture, and at which size."""
    wish = build(FrameWish, await read_json(request))
    if not (1 <= wish.width <= LONGEST_SIDE and 1 <= wish.height <= LONGEST_SIDE):
        return refusal(400, "bad_size", f"A picture has 1 to {LONGEST_SIDE} pixels a side.")
    model = request.app[CONTEXT].manager.offers.model(wish.model or "embedded")
    if model is None:
        return refusal(404, "unknown_model", "There is no such model.")
    region = Rect(0, 0, wish.width, wish.height)
    limits = frames_of(wish.mode, model.frame or FrameLimits())
    never_smaller = mode_row(wish.mode).second_pass
    return answer(plan_frame(region, limits, never_smaller=never_smaller))
