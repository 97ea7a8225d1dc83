"""The store and the pixel files from the event loop's side: nothing here blocks it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from acetate.jobs.disk_space import Reserve
from acetate.jobs.pixel_files import PixelFiles
from acetate.jobs.records import DiskFull, Refused, StoredLayer
from acetate.jobs.store import Evicted, Store, image_file, now
from acetate_bridge.client.discovery import make_private
from acetate_bridge.protocol.messages import Submit
from acetate_bridge.protocol.types import Image, Request

P = ParamSpec("P")
T = TypeVar("T")

DAY = 24 * 3600.0
UNUSED_IMAGE_SECONDS = 3600.0


class Ledger:
    """Everything durable. Database calls run one after another, in the order they were made."""

    def __init__(self, store: Store, files: PixelFiles, reserve: Reserve, quota: int) -> None:
        self.store = store
        self._files = files
        self._reserve = reserve
        self._quota = quota
        self._thread = ThreadPoolExecutor(1, "store")

    @classmethod
    def open(cls, folder: Path, quota: int) -> Ledger:
        """Open or create the store in a folder. Blocks; raises StoreDamaged, DiskFull, OSError."""
        make_private(folder)
        store = Store(folder / "jobs.sqlite3")
        files = PixelFiles(folder / "pixels")
        files.remove(*(files.names() - store.files()))
        reserve = Reserve(folder)
        reserve.fill()
        return cls(store, files, reserve, quota)

    def close(self) -> None:
        """Finish what is being written. Blocks."""
        self._thread.shutdown()
        self.store.close()

    async def call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the store; a full disk is tried once more without the reserve."""

        def attempt() -> T:
            try:
                return method(*args, **kwargs)
            except DiskFull:
                self._reserve.release()
                return method(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, attempt)

    async def keep_image(self, sha256: str, image: Image) -> None:
        """Store an upload; raises Refused for pixels that are not what their name says."""
        hashing = asyncio.create_task(asyncio.to_thread(_digest, image.data))
        try:
            if await self.call(self.store.known_images, [sha256]):
                await self._check(hashing, sha256)
            else:
                await self._check_and_write(hashing, sha256, image.data)
        finally:
            await asyncio.wait([hashing])
        await self.call(self.store.add_image, sha256, len(image.data), now())

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
        known = await self.call(self.store.known_images, names) if names else set[str]()
        return [name for name in names if name not in known]

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
        evicted = await self.call(self.store.evict, need, self._quota)
        await self._sweep(evicted)
        if evicted.over > 0:
            raise Refused(
                "quota_full",
                f"Results that nobody has fetched fill the {self._quota // 2**20} MB set aside.",
                "Open the editor that asked for them, or wait a day.",
            )

    async def expire(self) -> None:
        """Forget what is older than a day, and images that no job needs; refill the reserve."""
        time = now()
        await self._sweep(
            await self.call(self.store.expire, time - DAY, time - UNUSED_IMAGE_SECONDS)
        )
        await asyncio.to_thread(self._reserve.fill)

    async def _sweep(self, evicted: Evicted) -> None:
        if evicted.files:
            await asyncio.to_thread(self._files.remove, *evicted.files)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
