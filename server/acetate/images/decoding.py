"""A picture file of any usual kind as an image: what a person has is what can be painted from."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import cast

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from acetate.errors import BadImage
from acetate.images import photoshop
from acetate.images.colour import cmyk_in_srgb, in_srgb
from acetate.images.png import check_pixels, decode_png
from acetate.images.png_texts import SIGNATURE
from acetate.images.samples import Samples, image_of
from acetate_bridge.protocol.types import Image

_MERGED = "mergedimage.png"
_MERGED_BYTES = 2**30
_BITS, _PHOTOMETRIC, _EXTRA, _ORIENTATION = 258, 262, 338, 274
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK, _ASSOCIATED = 0, 1, 2, 5, 1
READ = "PNG, JPEG, WebP, TIFF, AVIF, GIF, BMP, OpenRaster, Krita and Photoshop files"


def decode_picture(data: bytes) -> Image:
    """The picture in a file: straight RGBA in sRGB, upright, 16 bits where the file has them.

    Of documents with layers it is the merged picture that they keep; of animations the first
    frame. Raises BadImage for other files, damaged ones, and sizes above 64 megapixels.
    """
    if data.startswith(SIGNATURE):
        return decode_png(data)
    if data.startswith(photoshop.SIGNATURE):
        return photoshop.decode_psd(data)
    if data.startswith(b"PK\x03\x04"):
        return decode_png(_merged(data))
    kind = _kind(data)
    if not data:
        raise BadImage("The file is empty.")
    if not kind:
        raise BadImage(f"This is no picture that Acetate reads: it reads {READ}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of damage that what is read shows anyway.
            return _with_pillow(data, kind)
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # What a damaged file makes its library raise is anybody's guess.
        raise BadImage(f"The {kind} file is damaged or cut short.") from error


def _kind(data: bytes) -> str:
    """What Pillow calls the format; empty for unknown ones."""
    starts = {b"\xff\xd8\xff": "JPEG", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"GIF8": "GIF"}
    if found := next((kind for start, kind in starts.items() if data.startswith(start)), ""):
        return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    return "BMP" if data[:2] == b"BM" else ""


def _merged(data: bytes) -> bytes:
    """The picture of an OpenRaster or Krita file, as it was when it was saved."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.getinfo(_MERGED).file_size > _MERGED_BYTES:
                raise BadImage("The merged picture of this file is too large.")
            return archive.read(_MERGED)
    except KeyError:
        raise BadImage("This file holds no merged picture: save it again in its editor.") from None
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # As below.
        raise BadImage("The file is damaged or cut short.") from error


def _with_pillow(data: bytes, kind: str) -> Image:
    # Sizes are checked here, before pixels are unpacked, and by our own measure.
    Pillow.MAX_IMAGE_PIXELS = None
    with Pillow.open(io.BytesIO(data), formats=[kind]) as picture:
        check_pixels(picture.width, picture.height)
        profile = picture.info.get("icc_profile")
        if kind == "TIFF" and (deep := _deep_tiff(data, picture)) is not None:
            return image_of(in_srgb(deep, profile))
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        if upright.mode == "CMYK":
            return image_of(cmyk_in_srgb(np.asarray(upright), profile))
        if upright.mode.startswith("I;16") or upright.mode == "I":
            grey = np.clip(np.asarray(upright), 0, 65535).astype(np.uint16)
            return image_of(in_srgb(grey, profile))
        grey = upright.mode in ("L", "LA", "1") and "transparency" not in upright.info
        shown = upright.convert("LA" if grey else "RGBA")
        return image_of(in_srgb(np.asarray(shown), profile))


def _all_deep(bits: object) -> bool:
    return isinstance(bits, tuple) and set(cast("tuple[object, ...]", bits)) == {16}


def _deep_tiff(data: bytes, picture: Pillow.Image) -> Samples | None:
    """Samples of a TIFF with 16 bits a channel, of which Pillow keeps 8; None for others."""
    import imagecodecs

    tags: dict[int, object] = dict(getattr(picture, "tag_v2", {}))
    bits, kind = tags.get(_BITS), tags.get(_PHOTOMETRIC)
    if bits not in (16, (16,)) and not (_all_deep(bits)):
        return None
    try:
        samples = np.asarray(imagecodecs.tiff_decode(data))
    except (imagecodecs.TiffError, ValueError):
        return None
    if samples.dtype != np.uint16 or samples.ndim not in (2, 3):
        return None
    if samples.ndim == 3 and samples.shape[2] > 5:
        samples = np.moveaxis(samples, 0, -1)  # One plane after another.
    if kind == _WHITE_IS_ZERO:
        samples = 65535 - samples
    elif kind == _CMYK:
        return _turned(cmyk_in_srgb(samples[..., :4], picture.info.get("icc_profile")), tags)
    elif kind not in (_BLACK_IS_ZERO, _RGB):
        return None
    most = 4 if kind == _RGB else 2
    samples = samples if samples.ndim == 2 else samples[..., :most]
    extra = tags.get(_EXTRA)
    if extra in (_ASSOCIATED, (_ASSOCIATED,)) and samples.ndim == 3 and samples.shape[2] == most:
        share = np.maximum(samples[..., -1:] / 65535, 1e-9)
        straight = np.rint(np.minimum(samples[..., :-1] / share, 65535)).astype(np.uint16)
        samples = np.concatenate([straight, samples[..., -1:]], axis=-1)
    return _turned(samples, tags)


def _turned(samples: Samples, tags: dict[int, object]) -> Samples:
    """Upright, as the file says that it is to be seen (TIFF 6.0, Orientation)."""
    orientation = tags.get(_ORIENTATION, 1)
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples
