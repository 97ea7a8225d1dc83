"""Results packed for slow links: once for all who read them, and off the event loop."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from acetate.background_tasks import start_task
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import FreshLayer, StoredLayer
from acetate_bridge.protocol.codec import PackedImage, pack

_KEPT_BYTES = 64 * 2**20

_Key = tuple[str, str]


class PackedLayers:
    """Keeps the layers that were packed last, so that one who comes back need not wait again."""

    def __init__(self, ledger: Ledger, kept_bytes: int = _KEPT_BYTES) -> None:
        self._ledger = ledger
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[_Key, PackedImage] = OrderedDict()
        self._packing: dict[_Key, asyncio.Task[PackedImage]] = {}

    def begin(self, layer: FreshLayer, encoding: str) -> None:
        """Pack a layer that is about to be wanted, while its pixels are at hand."""
        if (layer.stored.file, encoding) not in self._kept:
            self._task(layer, encoding)

    async def get(self, layer: FreshLayer | StoredLayer, encoding: str) -> PackedImage:
        """The layer in this encoding. Raises OSError or ValueError when its pixels are gone."""
        key = _key(layer, encoding)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        # Shielded: a reader that leaves must not spoil it for the others.
        return await asyncio.shield(self._task(layer, encoding))

    def _task(self, layer: FreshLayer | StoredLayer, encoding: str) -> asyncio.Task[PackedImage]:
        key = _key(layer, encoding)
        if key not in self._packing:
            task = start_task(self._pack(layer, encoding), f"pack {key[0]}")
            task.add_done_callback(lambda done: self._keep(key, done))
            self._packing[key] = task
        return self._packing[key]

    async def _pack(self, layer: FreshLayer | StoredLayer, encoding: str) -> PackedImage:
        if isinstance(layer, FreshLayer):
            image = layer.stored.image(layer.data)
        else:
            image = await self._ledger.load_layer(layer)
        return await asyncio.to_thread(pack, image, [encoding])

    def _keep(self, key: _Key, done: asyncio.Task[PackedImage]) -> None:
        del self._packing[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._kept[key] = done.result()
        while sum(len(image.data) for image in self._kept.values()) > self._kept_bytes:
            self._kept.popitem(last=False)


def _key(layer: FreshLayer | StoredLayer, encoding: str) -> _Key:
    return (layer.stored if isinstance(layer, FreshLayer) else layer).file, encoding
