"""Colour profiles: whatever a picture means by its numbers becomes sRGB, which models know."""

from __future__ import annotations

import io

import numpy as np

from acetate.images.samples import Samples

_SPACES = {b"RGB ": ("rgb", 3), b"GRAY": ("gray", 1), b"CMYK": ("cmyk", 4)}
_SPACE_AT = slice(16, 20)
"""Where an ICC profile names the space of its colours (ICC.1, 7.2.6)."""


def in_srgb(samples: Samples, profile: bytes | None) -> Samples:
    """Grey or RGB samples (8 or 16 bits, alpha kept) as the profile's colours are in sRGB.

    Without a profile, with that of sRGB, or with one that cannot be read or is of another kind
    than the samples, they are taken as they are, as viewers do.
    """
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    space, colours = _SPACES.get((profile or b"")[_SPACE_AT], ("", 0))
    if not profile or colours == 4 or colours != (1 if channels < 3 else 3) or _is_srgb(profile):
        return samples
    whole = samples[..., None] if samples.ndim == 2 else samples
    colour = np.ascontiguousarray(whole[..., :colours])
    converted = _transformed(colour[..., 0] if colours == 1 else colour, profile, space)
    if converted is None:
        return samples
    return np.concatenate([converted, whole[..., colours:]], axis=-1)


def cmyk_in_srgb(samples: Samples, profile: bytes | None) -> Samples:
    """CMYK samples (0: no ink), height × width × 4, as RGB of the same depth.

    Without a profile the inks take light away in proportion.
    """
    if profile and _SPACES.get(profile[_SPACE_AT], ("", 0))[0] == "cmyk":
        converted = _transformed(np.ascontiguousarray(samples), profile, "cmyk")
        if converted is not None:
            return converted
    top = np.iinfo(samples.dtype).max
    light = top - samples.astype(np.uint64)
    return (light[..., :3] * light[..., 3:] // top).astype(samples.dtype)


def _transformed(colour: Samples, profile: bytes, space: str) -> Samples | None:
    import imagecodecs

    native = colour.astype(colour.dtype.newbyteorder("="), copy=False)
    srgb = imagecodecs.cms_profile("srgb")
    try:
        found = imagecodecs.cms_transform(
            native, profile, srgb, colorspace=space, outcolorspace="rgb"
        )
    except (imagecodecs.CmsError, ValueError, TypeError, RuntimeError):
        return None
    return np.asarray(found)


def _is_srgb(profile: bytes) -> bool:
    from PIL import ImageCms

    try:
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return "srgb" in ImageCms.getProfileDescription(read).lower()
    except (OSError, ImageCms.PyCMSError):
        return True  # Nobody can say what it means.
