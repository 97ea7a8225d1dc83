"""Pictures of a job beside its layers: the latest preview, and all layers as one file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import web

from acetate.app.context import CONTEXT
from acetate.app.outgoing import send_whole
from acetate.app.responses import refusal
from acetate.app.script_feed import SCRIPTS
from acetate.images.layered_files import write_openraster, write_psd
from acetate_bridge.protocol.png import write_png
from acetate_bridge.protocol.types import Layer

_FORMATS: dict[str, tuple[Callable[[Sequence[Layer]], bytes], str]] = {
    "ora": (write_openraster, "image/openraster"),
    "psd": (write_psd, "image/vnd.adobe.photoshop"),
}


async def show_preview(request: web.Request) -> web.Response:
    preview = request.app[CONTEXT].scripts.previews.get(request.match_info["job"])
    if preview is None:
        return refusal(404, "not_found", "There is no preview of that job now.")
    body = await asyncio.to_thread(write_png, preview.image)
    return web.Response(body=body, content_type="image/png")


async def export_job(request: web.Request) -> web.StreamResponse:
    """The layers of one variant as a document with layers; `format` is `ora` or `psd`."""
    context, job = request.app[CONTEXT], request.match_info["job"]
    kind = request.query.get("format", "ora")
    variant = request.query.get("variant", "0")
    if kind not in _FORMATS:
        return refusal(400, "bad_format", f"The format is {' or '.join(_FORMATS)}.")
    if (
        not variant.isdecimal()
        or len(variant) > 4
        or not await context.manager.record(SCRIPTS, job)
    ):
        return refusal(404, "not_found", "There is no such result.")
    stored = await context.ledger.read(context.ledger.store.layers, job)
    chosen = [layer for layer in stored if layer.variant == int(variant)]
    if not chosen:
        return refusal(404, "not_found", "There is no such result.")
    async with context.outgoing.room(sum(layer.pixel_bytes for layer in chosen)):
        try:
            images = [await context.ledger.load_layer(layer) for layer in chosen]
        except (OSError, ValueError):
            return refusal(404, "not_found", "The pixels of that result are gone.")
        layers = [
            layer.with_image(image).layer for layer, image in zip(chosen, images, strict=True)
        ]
        write, content_type = _FORMATS[kind]
        body = await asyncio.to_thread(write, layers)
        named = {"Content-Disposition": f'attachment; filename="acetate-{job[:12]}.{kind}"'}
        return await send_whole(request, body, content_type, named)
