"""Uploaded pictures: unpacked one at a time, never in the loop, large ones in a process.

A file of half a megabyte may hold 512 MB of pixels. They pass through neither the memory nor the
interpreter of the server, so the others do not wait for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from asyncio.subprocess import PIPE

import msgspec

from acetate.app.unpacking import (
    Order,
    Outcome,
    digest_of,
    is_plain_png,
    read_file,
    unpack_fast,
)
from acetate.errors import BadImage
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import DiskFull, Refused
from acetate.workers.own_module import module_command, module_environment
from acetate_bridge.protocol.codec import IMAGE_PIXELS, BadFrame, PackedImage
from acetate_bridge.protocol.messages import ImageReference
from acetate_bridge.protocol.png import png_header
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image

_SMALL_BYTES = 32 * 2**20
_PATIENCE = 120.0
_WRONG_HASH = "The uploaded pixels do not have the SHA-256 that they were sent as."


class Uploads:
    """Belongs to one event loop."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._one = asyncio.Lock()

    async def keep(self, image: Image, sha256: str = "") -> str:
        """Store an upload, packed or not, and return the SHA-256 of its pixels.

        `sha256` is what they must have, if it is said. Raises BadFrame, Refused, DiskFull.
        """
        if not isinstance(image, PackedImage) or image.encoding == "raw":
            digest = sha256 or await asyncio.to_thread(digest_of, memoryview(image.data))
            await self._ledger.keep_image(digest, image)
            return digest
        size = image.width * image.height * BYTES_PER_PIXEL[image.format]
        async with self._one:
            if size > _SMALL_BYTES:
                return await self._keep_large(image, sha256, size)
            return await self._keep_small(image, sha256)

    async def _keep_small(self, packed: PackedImage, sha256: str) -> str:
        def unpacked() -> tuple[Image, str]:
            raw = unpack_fast(packed)
            image = Image(packed.width, packed.height, raw.tobytes(), packed.format)
            return image, sha256 or digest_of(raw)

        try:
            image, digest = await asyncio.to_thread(unpacked)
        except ValueError as error:
            raise BadFrame("bad_image", _sentence(str(error))) from None
        await self._ledger.keep_image(digest, image)
        return digest

    async def keep_file(self, data: bytes) -> ImageReference:
        """Store a picture of any kind. Raises BadFrame, Refused, DiskFull."""
        async with self._one:
            if is_plain_png(data) and _png_bytes(data) <= _SMALL_BYTES:
                image = await asyncio.to_thread(_read_small, data)
                digest = await asyncio.to_thread(digest_of, memoryview(image.data))
                await self._ledger.keep_image(digest, image)
                return ImageReference(digest, image.width, image.height, image.format)
            found = await self._in_a_process(Order(""), data)
            return ImageReference(found.sha256, found.width, found.height, found.format)

    async def _keep_large(self, packed: PackedImage, sha256: str, size: int) -> str:
        await self._ledger.make_room(size)
        order = Order(
            "", packed.encoding, packed.width, packed.height, packed.format, sha256=sha256
        )
        return (await self._in_a_process(order, packed.data)).sha256

    async def _in_a_process(self, order: Order, data: bytes) -> Outcome:
        part = self._ledger.new_part()
        order = msgspec.structs.replace(order, target=str(part), parent=os.getpid())
        try:
            outcome = await _run(order, data)
            if outcome.code == "wrong_hash":
                raise Refused("wrong_hash", _WRONG_HASH)
            if outcome.code == "cannot_write":
                if int(outcome.message) in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                    raise DiskFull
                raise Refused("cannot_write", "The server cannot write the picture to its disk.")
            if outcome.code:
                raise BadFrame(outcome.code, _sentence(outcome.message))
            size = outcome.width * outcome.height * BYTES_PER_PIXEL[outcome.format]
            await self._ledger.adopt_image(outcome.sha256, part, size)
            return outcome
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)


def _read_small(data: bytes) -> Image:
    try:
        return read_file(data)
    except BadImage as error:
        raise BadFrame("bad_image", f"{error.message} {error.hint}".strip()) from None
    except ValueError as error:
        raise BadFrame("bad_image", _sentence(str(error))) from None


def _png_bytes(data: bytes) -> int:
    width, height, pixel_format = png_header(data)
    if width * height > IMAGE_PIXELS or not width * height:
        raise BadFrame("image_too_large", f"An image has 1 to {IMAGE_PIXELS} pixels.")
    return width * height * BYTES_PER_PIXEL[pixel_format]


async def _run(order: Order, data: bytes) -> Outcome:
    """Follow a process to its end; one that breaks or hangs costs its picture."""
    process = await asyncio.create_subprocess_exec(
        *module_command("acetate.app.unpacking", msgspec.json.encode(order).decode()),
        stdin=PIPE,
        stdout=PIPE,
        env=module_environment(),
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            said, _ = await process.communicate(data)
        return msgspec.json.decode(said, type=Outcome)
    except (TimeoutError, msgspec.MsgspecError):
        return Outcome(code="bad_image", message="the picture cannot be unpacked")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}".rstrip(".") + "."
