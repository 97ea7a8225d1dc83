"""Which family a folder of diffusers belongs to, by what it says it is."""

from __future__ import annotations

import re

_FAMILIES = {
    r"StableDiffusionXL\w*Pipeline": "sdxl",
    r"(StableDiffusion|LatentConsistencyModel)\w*Pipeline": "sd15",
    r"Flux\w*Pipeline": "flux",
    r"QwenImage21\w*Pipeline": "qwen21",
}
_OTHERS = re.compile(r"StableDiffusion3\w*|Flux(2|3|Control(?!Net)|Fill|Prior)\w*")
"""Pipelines whose denoisers are of another kind in spite of the name."""


def family_of_folder(pipeline: str) -> str:
    """The family by the class name in `model_index.json`; empty for those of no use here.

    Pipelines that only differ in what they are given (a picture, a control image) share one base.
    """
    if _OTHERS.fullmatch(pipeline):
        return ""
    for pattern, family in _FAMILIES.items():
        if re.fullmatch(pattern, pipeline):
            return family
    return ""


_OUR_OWN = {
    "AcetateEmbedded": "embedded",
    "QwenImageLayeredPipeline": "layered",
}


def family_painted(pipeline: str) -> str:
    """The same, with the families whose bases are not imported."""
    return _OUR_OWN.get(pipeline) or family_of_folder(pipeline)
