"""Where the licences of models can be read, for everybody who asks a person to accept them."""

from __future__ import annotations

_HUB = "https://huggingface.co"
LINKS = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "creativeml-openrail-m": f"{_HUB}/spaces/CompVis/stable-diffusion-license",
    "openrail++": f"{_HUB}/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    "flux-1-dev-non-commercial-license": f"{_HUB}/black-forest-labs/FLUX.1-dev/tree/main",
    "qwen-research": f"{_HUB}/Qwen/Qwen-Image-2.1/blob/main/LICENSE",
    "afl-3.0": "https://opensource.org/license/afl-3-0-php",
}
"""By the name in small letters."""


def licence_link(licence: str) -> str:
    """Where a licence can be read; empty where that is not known."""
    return LINKS.get(licence.lower(), "")
