"""Layers as OpenRaster and PSD: what other programs find in the file."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image as Pillow
from psd_tools import PSDImage

from acetate.images.layered_files import write_openraster, write_psd
from acetate_bridge import Image, Layer, Role


def patch(width: int, height: int, colour: tuple[int, int, int, int], wide: bool = False) -> Image:
    samples = np.tile(np.array(colour, np.uint8), (height, width, 1))
    if wide:
        return Image(width, height, (samples.astype("<u2") * 257).tobytes(), "rgba16")
    return Image(width, height, samples.tobytes())


SCENE = [
    Layer(patch(6, 4, (255, 0, 0, 128)), Role.FOREGROUND, "rote Laterne ⛩", 5, 3),
    Layer(patch(20, 10, (0, 0, 255, 255), wide=True), Role.BACKGROUND, "sea", -2, 0),
    Layer(patch(20, 10, (9, 9, 9, 255)), Role.BLENDED, "all", -2, 0),
]


def test_openraster_holds_every_layer_at_its_place_with_the_top_first() -> None:
    archive = zipfile.ZipFile(io.BytesIO(write_openraster(SCENE)))
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert archive.read("mimetype") == b"image/openraster"
    root = ElementTree.fromstring(archive.read("stack.xml"))
    assert (root.get("w"), root.get("h")) == ("20", "10")
    entries = list(root.iter("layer"))
    assert [(each.get("name"), each.get("visibility")) for each in entries] == [
        ("all", "hidden"),
        ("rote Laterne ⛩", "visible"),
        ("sea", "visible"),
    ]
    assert (entries[1].get("x"), entries[1].get("y")) == ("7", "3")
    source = entries[1].get("src")
    assert source is not None
    picture = Pillow.open(io.BytesIO(archive.read(source)))
    assert (picture.size, picture.getpixel((0, 0))) == ((6, 4), (255, 0, 0, 128))


def test_the_merged_picture_shows_the_layers_over_each_other() -> None:
    archive = zipfile.ZipFile(io.BytesIO(write_openraster(SCENE)))
    merged = Pillow.open(io.BytesIO(archive.read("mergedimage.png")))
    assert merged.getpixel((0, 0)) == (0, 0, 255, 255)
    assert merged.getpixel((8, 4)) == (128, 0, 127, 255)


def test_a_psd_holds_every_layer_at_its_place_and_its_merged_picture() -> None:
    document = PSDImage.open(io.BytesIO(write_psd(SCENE)))
    assert document.size == (20, 10)
    found = [(each.name, each.left, each.top, each.visible) for each in document]
    assert found == [("sea", 0, 0, True), ("rote Laterne ⛩", 7, 3, True), ("all", 0, 0, False)]
    lantern = list(document)[1].topil()
    assert lantern is not None and lantern.getpixel((0, 0)) == (255, 0, 0, 128)
    merged = Pillow.open(io.BytesIO(write_psd(SCENE))).convert("RGB")
    assert merged.getpixel((8, 4)) == (128, 0, 127)


def test_a_layer_alone_is_its_own_merged_picture() -> None:
    only = [Layer(patch(3, 3, (1, 2, 3, 4)), Role.BLENDED)]
    archive = zipfile.ZipFile(io.BytesIO(write_openraster(only)))
    merged = Pillow.open(io.BytesIO(archive.read("mergedimage.png")))
    assert merged.size == (3, 3)


@pytest.mark.parametrize("write", [write_openraster, write_psd])
def test_nothing_makes_no_file(write: object) -> None:
    assert callable(write)
    with pytest.raises(ValueError, match="no layer"):
        write([])
