"""The store and the pixel files from the event loop's side: nothing here blocks it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from acetate.background_tasks import start_task
from acetate.jobs.disk_space import Reserve, is_busy
from acetate.jobs.pixel_files import PixelFiles
from acetate.jobs.records import DiskFull, Refused, StoredLayer
from acetate.jobs.store import Evicted, Store, image_file, now
from acetate_bridge.client.discovery import make_private
from acetate_bridge.protocol.messages import Submit
from acetate_bridge.protocol.types import Image, Request

P = ParamSpec("P")
T = TypeVar("T")

_HOUR = 3600.0
DAY = 24 * _HOUR
UNUSED_IMAGE_SECONDS = 3600.0
_FRESH_IMAGE_SECONDS = 60.0
"""An upload is followed by the job that names it; until then it is not the first to go."""
_LOOKS_BEFORE_FORGETTING = 24
"""At the start and every hour: what looks old may be new, under a clock that was wrong."""
_BUSY_PATIENCE = 20.0
_BUSY_PAUSE = 0.1

log = logging.getLogger("acetate.jobs")


class Ledger:
    """Everything durable. Database calls run one after another, in the order they were made."""

    def __init__(self, store: Store, files: PixelFiles, reserve: Reserve, quota: int) -> None:
        self.store = store
        self._files = files
        self._reserve = reserve
        self._quota = quota
        self._thread = ThreadPoolExecutor(1, "store")
        self._in_turn = asyncio.Lock()

    @classmethod
    def open(cls, folder: Path, quota: int) -> Ledger:
        """Open or create the store in a folder. Blocks; raises StoreDamaged, DiskFull, OSError."""
        make_private(folder, link=True)
        store = Store(folder / "jobs.sqlite3")
        files = PixelFiles(folder / "pixels")
        if not store.made:
            files.remove(*(files.names() - store.files()))
        elif names := files.names():
            # The store was moved away, or lost: what it knew may still be somebody's only copy.
            aside = files.set_aside(folder / f"set-aside-{time.strftime('%Y%m%d-%H%M%S')}")
            log.warning("%d results without a job store were set aside: %s", len(names), aside)
        reserve = Reserve(folder)
        reserve.fill()
        return cls(store, files, reserve, quota)

    def close(self) -> None:
        """Finish what is being written. Blocks."""
        self._thread.shutdown()
        self.store.close()

    async def call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store that writes, after all that was called before.

        A full disk is tried once more without the reserve, a store that another program holds
        again and again for a while. Nothing overtakes what waits for that: a client takes an event
        that comes after one with a higher number for one that it has heard. Raises DiskFull or
        Refused.
        """
        until = asyncio.get_running_loop().time() + _BUSY_PATIENCE
        async with self._in_turn:
            return await self._until(until, functools.partial(method, *args, **kwargs))

    async def read(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store that only reads: it waits for no write that waits itself.

        Otherwise as `call`.
        """
        until = asyncio.get_running_loop().time() + _BUSY_PATIENCE
        return await self._until(until, functools.partial(method, *args, **kwargs))

    async def _until(self, until: float, method: Callable[[], T]) -> T:
        def attempt() -> T:
            try:
                return method()
            except DiskFull:
                self._reserve.release()
                return method()

        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, attempt)
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error as error:
                if not is_busy(error):
                    log.error("the job store failed: %s", error)
                    raise Refused(
                        "store_failed",
                        f"The job store cannot be used ({error}).",
                        "Look at the server's disk and its log.",
                    ) from error
            if loop.time() > until:
                raise Refused(
                    "store_busy",
                    "Another program holds the server's job store.",
                    "Close it (a backup, a viewer of databases) and try again.",
                )
            await asyncio.sleep(_BUSY_PAUSE)

    async def keep_image(self, sha256: str, image: Image) -> None:
        """Store an upload; raises Refused for pixels that are not what their name says."""
        hashing = start_task(asyncio.to_thread(_digest, image.data), "hashing")
        try:
            if await self.call(self.store.known_images, [sha256]) and await asyncio.to_thread(
                self._is_here, sha256, len(image.data)
            ):
                await self._check(hashing, sha256)
            else:
                await self._check_and_write(hashing, sha256, image.data)
        finally:
            await asyncio.wait([hashing])
        await self.call(self.store.add_image, sha256, len(image.data), now())

    async def adopt_image(self, sha256: str, part: Path, size: int) -> None:
        """Store an upload that another process has unpacked into a part file, which then goes."""
        try:
            await self.make_room(size)
            await asyncio.to_thread(self._files.name_part, part, image_file(sha256))
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        await self.call(self.store.add_image, sha256, size, now())

    def new_part(self) -> Path:
        """A name for a file that somebody else writes, for `adopt_image`."""
        return self._files.new_part()

    def _is_here(self, sha256: str, size: int) -> bool:
        """Whether the file of an image is there, whatever the store says."""
        return self._files.size(image_file(sha256)) == size

    async def _check_and_write(self, hashing: asyncio.Task[str], sha256: str, data: bytes) -> None:
        """Hash and write at the same time; the file gets its name only when the hash is right."""
        await self.make_room(len(data))
        part = await asyncio.to_thread(self._files.write_part, data)
        try:
            await self._check(hashing, sha256)
        except BaseException:
            await asyncio.to_thread(part.unlink, missing_ok=True)
            raise
        await asyncio.to_thread(self._files.name_part, part, image_file(sha256))

    async def _check(self, hashing: asyncio.Task[str], sha256: str) -> None:
        if await hashing != sha256:
            raise Refused(
                "wrong_hash", "The uploaded pixels do not have the SHA-256 that they were sent as."
            )

    async def missing_images(self, submit: Submit) -> list[str]:
        """Digests of a job's images that were never uploaded, or have gone."""
        names = sorted({image.sha256 for image in submit.images.values()})
        if not names:
            return []
        known = await self.call(self.store.known_images, names)

        def lost() -> set[str]:
            return {name for name in known if self._files.size(image_file(name)) < 0}

        gone = await asyncio.to_thread(lost)
        return [name for name in names if name not in known or name in gone]

    async def request(self, submit: Submit) -> Request:
        """The request with its pixels; raises Refused when they are not on disk any more."""

        def load() -> dict[str, Image]:
            return {
                name: Image(
                    image.width,
                    image.height,
                    self._files.read(image_file(image.sha256)),
                    image.format,
                )
                for name, image in submit.images.items()
            }

        try:
            images = await asyncio.to_thread(load)
        except (OSError, ValueError):
            raise Refused(
                "image_lost",
                "An input image of this job does not fit or is gone.",
                "Send it again.",
            ) from None
        return Request(submit.recipe, images, submit.variants, submit.pixel_format, submit.frame)

    async def keep_layer(self, file: str, image: Image) -> None:
        """Write a layer's pixels; raises DiskFull or Refused("quota_full")."""
        await self.make_room(len(image.data))
        await asyncio.to_thread(self._files.write, file, image.data)

    async def load_layer(self, layer: StoredLayer) -> Image:
        """The pixels of a stored layer; raises OSError or ValueError when they are gone."""
        return layer.image(await asyncio.to_thread(self._files.read, layer.file))

    def remove_files(self, *names: str) -> None:
        """Delete pixel files. Blocks, shortly."""
        self._files.remove(*names)

    async def make_room(self, need: int) -> None:
        """Evict acknowledged results until `need` bytes fit; raises Refused("quota_full")."""
        room = self._quota // 2**20
        if need > self._quota:
            raise Refused(
                "quota_full",
                f"This alone is larger than the {room} MB that the server sets aside.",
                "Take a smaller picture, or start the server with a larger --quota-mb.",
            )
        idle = now() - _FRESH_IMAGE_SECONDS
        evicted = await self.call(self.store.evict, need, self._quota, idle)
        await self._sweep(evicted)
        if evicted.over > 0:
            raise Refused(
                "quota_full",
                "Results that nobody has fetched, and images that waiting jobs need, "
                f"fill the {room} MB set aside.",
                "Open the editor that asked for them, or wait two days.",
            )

    async def expire(self) -> None:
        """Forget what is older than a day, and images that no job needs; refill the reserve."""
        at = now()
        await self._sweep(
            await self.call(
                self.store.expire, at - DAY, at - UNUSED_IMAGE_SECONDS, _LOOKS_BEFORE_FORGETTING
            )
        )
        await asyncio.to_thread(self._reserve.fill)

    async def keep_tidy(self) -> None:
        """Expire every hour, for ever."""
        while True:
            try:
                await self.expire()
            except Exception:
                log.exception("old results could not be removed")
            await asyncio.sleep(_HOUR)

    async def _sweep(self, evicted: Evicted) -> None:
        if evicted.files:
            await asyncio.to_thread(self._files.remove, *evicted.files)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
