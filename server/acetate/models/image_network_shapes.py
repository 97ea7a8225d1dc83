"""Telling networks that work beside a base from their tensors: IP-Adapters and upscalers."""

from __future__ import annotations

import re

from acetate.models.foreign_models import Shapes
from acetate.models.recognition_error import NotRecognised

_TEXT_WIDTHS = {768: "sd15", 2048: "sdxl"}
"""Width of the words that an adapter's attentions are beside."""

_FLUX_IMAGE = re.compile(
    r"^double_blocks\.(\d+)\.processor\.ip_adapter_double_stream_([kv])_proj(?=\.)"
)
"""Of an image adapter for Flux, as X-Labs names it; in diffusers' names it has biases."""
_PLAIN_FLUX_IMAGE = re.compile(r"^ip_adapter\.\d+\.to_[kv]_ip\.bias$")
_UPSCALER = re.compile(r"^(params(_ema)?\.|module\.)?(model\.0|conv_first|body\.0)\.weight$")
_UPSCALER_BODY = re.compile(
    r"(^|\.)((model\.1\.sub|RRDB_trunk|body)\.0\.(RDB|rdb)1\.conv1\.(0\.)?|body\.1\.)weight$"
)


def is_image_adapter(shapes: Shapes) -> bool:
    """An IP-Adapter, whatever it is for."""
    if _is_flux_image_adapter(shapes):
        return True
    return all(key.startswith(("image_proj.", "ip_adapter.")) for key in shapes) and any(
        key.endswith(".to_k_ip.weight") for key in shapes
    )


def _is_flux_image_adapter(shapes: Shapes) -> bool:
    return any(_FLUX_IMAGE.match(key) or _PLAIN_FLUX_IMAGE.match(key) for key in shapes)


def is_upscaler(shapes: Shapes) -> bool:
    """Those of ESRGAN and Real-ESRGAN, whose first convolution sees a colour picture."""
    first = [shape for key, shape in shapes.items() if _UPSCALER.search(key)]
    return any(len(shape) == 4 and shape[1] in (3, 12, 48) for shape in first) and any(
        map(_UPSCALER_BODY.search, shapes)
    )


def families_of_image_adapter(shapes: Shapes, name: str) -> tuple[str, ...]:
    """Every second attention is to words, so its keys are 1, 3, 5 and so on, with a value each.

    Those for Flux have one for each double block, with a bias.
    """
    if _is_flux_image_adapter(shapes):
        return _of_flux_image_adapter(shapes, name)
    widths = {shape[-1] for key, shape in shapes.items() if key.endswith("_ip.weight")}
    families = tuple(_TEXT_WIDTHS[width] for width in widths if width in _TEXT_WIDTHS)
    count = sum(key.endswith(".to_k_ip.weight") for key in shapes)
    parts = ("to_k_ip", "to_v_ip")
    expected = {f"ip_adapter.{2 * at + 1}.{part}.weight" for at in range(count) for part in parts}
    found = {key for key in shapes if key.startswith("ip_adapter.")}
    if len(families) != 1 or len(widths) != 1 or found != expected:
        raise NotRecognised(
            f"{name} is an image adapter (IP-Adapter) of a make that Acetate does not read: take "
            "ip-adapter or ip-adapter-plus for Stable Diffusion 1.5 or SDXL."
        )
    return families


def _of_flux_image_adapter(shapes: Shapes, name: str) -> tuple[str, ...]:
    named = (_FLUX_IMAGE.sub(r"ip_adapter.\1.to_\2_ip", key) for key in shapes)
    found = {key for key in named if key.startswith("ip_adapter.")}
    parts = [f"to_{part}_ip.{kind}" for part in "kv" for kind in ("weight", "bias")]
    if found != {f"ip_adapter.{at}.{part}" for at in range(len(found) // 4) for part in parts}:
        raise NotRecognised(
            f"{name} is an image adapter (IP-Adapter) for Flux of a make that Acetate does not "
            "read: take that of X-Labs (flux-ip-adapter)."
        )
    return ("flux",)
