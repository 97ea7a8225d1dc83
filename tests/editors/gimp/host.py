"""GIMP's own hands for the contract: runs inside the live GIMP, in the agent's process."""

# pyright: reportMissingImports=false
from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio, GLib  # noqa: E402

from acetate_bridge.editing.editor import Editor  # noqa: E402
from acetate_bridge.protocol.geometry import Rect  # noqa: E402
from acetate_bridge.protocol.png import write_png  # noqa: E402
from acetate_bridge.protocol.types import Image  # noqa: E402
from adapter.documents import Attention, in_front  # noqa: E402
from adapter.editor import GimpEditor  # noqa: E402
from adapter.layers import document_key  # noqa: E402
from adapter.windows import gimp_windows  # noqa: E402
from tests.editors.gimp.fingerprint import fingerprint  # noqa: E402
from tests.editors.gimp.zoo import MASK_EDITED, ZOO, build  # noqa: E402
from tests.editors.host import Entry, Kind  # noqa: E402
from tests.editors.stage import Stage  # noqa: E402

_EIGHT = "eight bits of another curve or gamut cannot hold all colours of sRGB"
_WIDER = "in a wider gamut a saturated colour near black magnifies the last digit"
_HALF = "a half has eleven significant bits"

KINDS = (
    Kind("u8"),
    Kind("u8-linear", linear=True, off_by8=6, because=_EIGHT),
    Kind("u8-adobe", profile="adobe", off_by8=12, because=_EIGHT),
    Kind("u16", "u16"),
    Kind("u16-linear", "u16", linear=True, off_by16=8, because="linear sixteen bits are coarser"),
    Kind("u16-adobe", "u16", profile="adobe", off_by16=40, because=_WIDER),
    Kind("f16", "f16", off_by16=16, because=_HALF),
    Kind("f16-linear", "f16", linear=True, off_by16=20, because=_HALF),
    Kind("f32", "f32"),
    Kind("f32-linear", "f32", linear=True, off_by16=1, because="rounding of the curve"),
    Kind("f32-adobe", "f32", profile="adobe", off_by16=40, because=_WIDER),
    Kind("gray", colour="gray", keeps_colour=False),
    Kind("indexed", colour="indexed", keeps_colour=False),
)
_PRECISIONS = {
    ("u8", False): Gimp.Precision.U8_NON_LINEAR,
    ("u8", True): Gimp.Precision.U8_LINEAR,
    ("u16", False): Gimp.Precision.U16_NON_LINEAR,
    ("u16", True): Gimp.Precision.U16_LINEAR,
    ("f16", False): Gimp.Precision.HALF_NON_LINEAR,
    ("f16", True): Gimp.Precision.HALF_LINEAR,
    ("f32", False): Gimp.Precision.FLOAT_NON_LINEAR,
    ("f32", True): Gimp.Precision.FLOAT_LINEAR,
}


class _Made(Attention):
    """The painter is in the image that was made last, though it may have no window yet."""

    def __init__(self) -> None:
        super().__init__()
        self._last: Gimp.Image | None = None

    def turn_to(self, image: Gimp.Image) -> None:
        self._last = image

    def image(self) -> Gimp.Image | None:
        return self._last if self._last is not None and self._last.is_valid() else None


class GimpHost:
    """A GIMP with a window, and somebody outside who can press keys in it.

    An image comes into the window when keys are pressed on it: that takes GIMP a while. With a
    `half` (0 or 1) it has every other stack of the zoo: two versions share them, but for the one
    that each of them treats in its own way.
    """

    def __init__(self, ask: Callable[..., object], half: int | None = None) -> None:
        self._ask = ask
        self._stacks = tuple(ZOO) if half is None else tuple(ZOO)[half::2]
        self._stacks = tuple(dict.fromkeys((*self._stacks, MASK_EDITED)))
        self._editor = GimpEditor()
        self._editor.attention = self._made = _Made()
        self._displays: dict[str, Gimp.Display] = {}

    @property
    def editor(self) -> Editor:
        return self._editor

    @property
    def kinds(self) -> Sequence[Kind]:
        return KINDS

    def new_document(self, width: int, height: int, kind: Kind) -> str:
        base = Gimp.ImageBaseType.GRAY if kind.colour == "gray" else Gimp.ImageBaseType.RGB
        precision = _PRECISIONS[kind.depth, kind.linear]
        image = Gimp.Image.new_with_precision(width, height, base, precision)
        if kind.profile == "adobe":
            image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
        if kind.colour == "indexed":
            dither, palette = Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB
            image.convert_indexed(dither, palette, 255, False, False, "")
        image.clean_all()
        self._made.turn_to(image)
        return document_key(image)

    def paint(
        self, document: str, name: str, image: Image, x: int, y: int, group: str | None = None
    ) -> str:
        there = self._image(document)
        # GIMP's own way in: a PNG file as a layer.
        handle, path = tempfile.mkstemp(".png")
        with os.fdopen(handle, "wb") as file:
            file.write(write_png(image))
        layer = Gimp.file_load_layer(
            Gimp.RunMode.NONINTERACTIVE, there, Gio.File.new_for_path(path)
        )
        os.unlink(path)
        layer.set_name(name)
        layer.set_offsets(x, y)
        there.insert_layer(layer, self._layer(group) if group else None, 0)
        there.set_selected_layers([layer])
        return str(layer.get_id())

    def make_group(self, document: str, name: str) -> str:
        there = self._image(document)
        group = Gimp.GroupLayer.new(there, name)
        there.insert_layer(group, None, 0)
        return str(group.get_id())

    def activate(self, document: str, layer: str) -> None:
        image, found = self._image(document), self._layer(layer)
        # A quick mask that is painted on, or several layers with this one, are left selected.
        if not image.get_selected_channels() and found not in image.get_selected_layers():
            image.set_selected_layers([found])

    def lock(self, document: str, layer: str, locked: bool) -> None:
        self._layer(layer).set_lock_content(locked)

    def select(self, document: str, region: Rect, feather: int = 0) -> None:
        there = self._image(document)
        there.select_rectangle(
            Gimp.ChannelOps.REPLACE, region.x, region.y, region.width, region.height
        )
        if feather:
            Gimp.Selection.feather(there, feather)

    def select_nothing(self, document: str) -> None:
        Gimp.Selection.none(self._image(document))

    def stack(self, document: str) -> list[Entry]:
        return _entries(self._image(document).get_layers(), 0)

    def bounds(self, document: str, layer: str) -> Rect:
        found = self._layer(layer)
        _, x, y = found.get_offsets()
        return Rect(x, y, found.get_width(), found.get_height())

    def visible(self, document: str, region: Rect) -> Image:
        copy = self._image(document).duplicate()
        merged = copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE) if _visible(copy) else None
        if merged is None:
            copy.delete()
            return Image(region.width, region.height, bytes(region.size.pixels * 4))
        _, x, y = merged.get_offsets()
        data = merged.get_buffer().get(
            Gegl.Rectangle.new(region.x - x, region.y - y, region.width, region.height),
            1.0,
            "R'G'B'A u8",
            Gegl.AbyssPolicy.NONE,
        )
        copy.delete()
        return Image(region.width, region.height, bytes(data))

    def mixing(self, document: str, layer: str) -> object:
        found = self._layer(layer)
        mode, composite = found.get_mode(), found.get_composite_mode()
        return round(found.get_opacity(), 3), int(mode), int(composite)

    def mask(self, document: str, layer: str, region: Rect) -> bytes | None:
        found = self._layer(layer)
        mask = found.get_mask()
        if mask is None:
            return None
        _, x, y = found.get_offsets()
        local = Gegl.Rectangle.new(region.x - x, region.y - y, region.width, region.height)
        return bytes(mask.get_buffer().get(local, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))

    def undo(self, document: str) -> None:
        self._press("ctrl+z", document)

    def redo(self, document: str) -> None:
        self._press("ctrl+y", document)

    def reopen(self, document: str) -> str:
        handle, path = tempfile.mkstemp(".xcf")
        os.close(handle)
        file = Gio.File.new_for_path(path)
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, self._image(document), file, None)
        self.close(document)
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
        os.unlink(path)
        self._made.turn_to(image)
        return document_key(image)

    def close(self, document: str) -> None:
        display = self._displays.pop(document, None)
        display.delete() if display is not None else self._image(document).delete()

    def settle(self) -> None:
        Gimp.displays_flush()
        context = GLib.MainContext.default()
        until, turns = time.monotonic() + 0.05, 0
        while turns < 50 or time.monotonic() < until:
            context.iteration(False)
            turns += 1

    # ---- stacks like a painter's

    @property
    def zoo(self) -> Sequence[str]:
        return self._stacks

    def build(self, stack: str) -> str:
        image = build(stack)
        self._made.turn_to(image)
        document = document_key(image)
        if stack == MASK_EDITED:
            # GIMP 3.0 shows such a layer, once it is hidden, to an image that comes into a window.
            self._show(document)
        return document

    def fingerprint(self, document: str, ours: frozenset[str]) -> dict[str, object]:
        return fingerprint(self._image(document), ours)

    def hides(self, before: dict[str, object]) -> tuple[str, ...]:
        return tuple(key for key in before if key.endswith(" active"))

    def open_panel(self) -> Stage:
        # As when the painter has pressed "Insert now".
        self._editor.hand.is_busy = lambda image, in_front: False  # type: ignore[method-assign]
        return Stage(self._editor, self.settle)

    def _image(self, document: str) -> Gimp.Image:
        return Gimp.Image.get_by_id(int(document.rpartition("-")[2]))

    def _layer(self, key: str) -> Gimp.Layer:
        return Gimp.Item.get_by_id(int(key))

    def _press(self, key: str, document: str) -> None:
        """Press a key in the image window, and wait until GIMP has done what it means."""
        self._show(document)
        before = self._trace(document)
        Gimp.displays_flush()
        self._ask("key", key)
        # Not every key changes something that is seen; a slow machine looks as often.
        until, looks = time.monotonic() + 3, 0
        while self._trace(document) == before and (looks < 80 or time.monotonic() < until):
            time.sleep(0.02)
            looks += 1

    def _show(self, document: str) -> None:
        """Let an image be in the window, if it is not yet."""
        if document in self._displays:
            return
        image = self._image(document)
        self._displays[document] = Gimp.Display.new(image)
        Gimp.displays_flush()
        until = time.monotonic() + 60
        while in_front([image], [each.title for each in gimp_windows() or []]) != image:
            assert time.monotonic() < until, "the image never came into the window"
            time.sleep(0.02)

    def _trace(self, document: str) -> list[object]:
        image = self._image(document)
        whole = Rect(0, 0, image.get_width(), image.get_height())
        ids = [[layer.get_id() for layer in level] for level in _levels(image.get_layers())]
        return [ids, self.visible(document, whole)]


def _entries(layers: Sequence[Gimp.Layer], level: int) -> list[Entry]:
    found: list[Entry] = []
    for layer in layers:
        found.append(Entry(layer.get_name(), level, layer.is_group()))
        if layer.is_group():
            found += _entries(layer.get_children(), level + 1)
    return found


def _levels(layers: Sequence[Gimp.Layer]) -> list[list[Gimp.Layer]]:
    found = [list(layers)]
    for layer in layers:
        if layer.is_group():
            found += _levels(layer.get_children())
    return found


def _visible(image: Gimp.Image) -> bool:
    return any(layer.get_visible() for layer in image.get_layers())
