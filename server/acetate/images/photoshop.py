"""The merged picture of a PSD or PSB file (Adobe Photoshop File Formats Specification, 2019)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from acetate.errors import BadImage
from acetate.images.colour import cmyk_in_srgb, in_srgb
from acetate.images.png import check_pixels
from acetate.images.samples import Samples, image_of
from acetate_bridge.protocol.types import Image

SIGNATURE = b"8BPS"
_GREY, _INDEXED, _RGB, _CMYK, _DUOTONE = 1, 2, 3, 4, 8
_COLOURS = {_GREY: 1, _INDEXED: 1, _RGB: 3, _CMYK: 4, _DUOTONE: 1}
_PROFILE, _VERSION = 1039, 1057
_RAW, _PACKED = 0, 1


@dataclass
class _Reader:
    data: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        part = self.data[self.at : self.at + length]
        if len(part) < length:
            raise BadImage("The PSD file is cut short.")
        self.at += length
        return part

    def number(self, letter: str) -> int:
        return struct.unpack(f">{letter}", self.take(struct.calcsize(letter)))[0]


def decode_psd(data: bytes) -> Image:
    """The picture that all layers make together, as the file keeps it; RGBA in sRGB.

    Raises BadImage where the file was saved without one, for damaged ones, and for kinds of
    colour that are none of grey, indexed, RGB and CMYK in 8 or 16 bits.
    """
    reader = _Reader(data, len(SIGNATURE))
    version = reader.number("H")
    reader.take(6)
    channels, height, width, depth, mode = (reader.number(letter) for letter in "HIIHH")
    if version not in (1, 2) or mode not in _COLOURS or depth not in (8, 16):
        raise BadImage("Of PSD files Acetate reads grey, indexed, RGB and CMYK in 8 or 16 bits.")
    if not 0 < channels <= 56 or not width or not height or channels < _COLOURS[mode]:
        raise BadImage("The PSD file is damaged.")
    check_pixels(width, height)
    palette = reader.take(reader.number("I"))
    resources = _resources(reader.take(reader.number("I")))
    if resources.get(_VERSION, b"\0\0\0\0\1")[4:5] == b"\0":
        raise BadImage(
            "The PSD file holds no merged picture: save it again with “Maximize Compatibility”."
        )
    layers = reader.take(reader.number("Q" if version == 2 else "I"))
    first = 8 if version == 2 else 4
    # A negative count of layers: the first channel after the colours is the transparency.
    clear = len(layers) >= first + 2 and struct.unpack(">h", layers[first : first + 2])[0] < 0
    shape = (channels, height, width)
    planes = _planes(reader, shape, depth, "I" if version == 2 else "H")
    return image_of(_rgba(planes, mode, palette, resources.get(_PROFILE), clear))


def _rgba(
    planes: Samples, mode: int, palette: bytes, profile: bytes | None, clear: bool
) -> Samples:
    count = _COLOURS[mode]
    colour = np.moveaxis(planes[:count], 0, -1)
    if mode == _INDEXED:
        table = np.frombuffer(palette[:768].ljust(768, b"\0"), np.uint8).reshape(3, 256).T
        colour = table[colour[..., 0]]
    elif mode == _CMYK:
        colour = cmyk_in_srgb(np.iinfo(colour.dtype).max - colour, profile)
    if not clear or planes.shape[0] <= count:
        return in_srgb(colour, None if mode == _CMYK else profile)
    alpha = planes[count][..., None]
    straight = in_srgb(_without_white(colour, alpha), None if mode == _CMYK else profile)
    return np.concatenate([straight, alpha], axis=-1)


def _without_white(colour: Samples, alpha: Samples) -> Samples:
    """Straight colour: the merged picture stands on white where it lets something through."""
    top = float(np.iinfo(colour.dtype).max)
    share = np.maximum(alpha / top, 1e-6)
    straight = (colour.astype(np.float64) - (1 - alpha / top) * top) / share
    return np.rint(np.clip(straight, 0, top)).astype(colour.dtype)


def _planes(reader: _Reader, shape: tuple[int, int, int], depth: int, counts: str) -> Samples:
    """All channels, one after another; raises BadImage."""
    import imagecodecs

    channels, height, width = shape
    kind = reader.number("H")
    row = width * depth // 8
    if kind == _RAW:
        packed = reader.take(channels * height * row)
    elif kind == _PACKED:
        size = struct.calcsize(counts)
        lengths = struct.unpack(
            f">{channels * height}{counts}", reader.take(size * channels * height)
        )
        try:
            rows = [imagecodecs.packbits_decode(reader.take(length)) for length in lengths]
        except (imagecodecs.PackbitsError, ValueError) as error:
            raise BadImage("The PSD file is damaged.") from error
        packed = b"".join(bytes(each)[:row].ljust(row, b"\0") for each in rows)
    else:
        raise BadImage("The PSD file is packed in a way that Acetate does not read.")
    samples = np.frombuffer(packed, np.dtype("u1") if depth == 8 else np.dtype(">u2"))
    return samples.astype(samples.dtype.newbyteorder("=")).reshape(channels, height, width)


def _resources(block: bytes) -> dict[int, bytes]:
    """Image resources by their number, as far as they can be read."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 12 <= len(block) and block[at : at + 4] in (b"8BIM", b"8B64", b"MeSa"):
        (number,) = struct.unpack(">H", block[at + 4 : at + 6])
        name = block[at + 6] + 1
        at += 6 + name + name % 2
        if at + 4 > len(block):
            break
        (length,) = struct.unpack(">I", block[at : at + 4])
        found[number] = block[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
    return found
