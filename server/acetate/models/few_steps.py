"""Bases and styles that were distilled to a few steps: how they are known, how they are sampled."""

from __future__ import annotations

import re
from collections.abc import Mapping

FEW_STEPS = {
    "lightning": (4, 1.0),
    "hyper": (8, 1.0),
    "turbo": (6, 1.5),
    "lcm": (6, 1.0),
    "lcm_guided": (6, 8.0),
    "dmd2": (4, 1.0),
    "pcm": (4, 1.0),
    "flash": (4, 1.0),
    "sdxs": (1, 1.0),
    "schnell": (4, 3.5),
}
"""Steps and guidance of the schedulers for what was distilled to few steps.

A guidance of 1 is none: what to avoid is not heard, and a step costs half. From the model cards of
SDXL-Lightning, Hyper-SD, LCM, DMD2, PCM, Flash Diffusion and SDXS; Turbo's own is 1 to 4 steps
without guidance, its many merges are painted with 5 to 8 steps at 2, and 1.5 suits both.
"""

GUIDED_LCM = "lcm_guided"
"""Of bases that read their guidance as a number and need no second run for it (LCM)."""

_NAMES = {
    "lightning": r"lightning(?![-_ ]?(bolt|strike|storm|effect|magic|element|spell|power))"
    r"|(^|[-_ ])\d[-_ ]?step[-_ ]unet",
    "dmd2": r"(^|[-_ .\d])dmd-?2?([-_ .\d]|$)",
    "hyper": r"hyper[-_ ]?(sd|xl|15|flux)|(^|[-_ ])hyper([-_ ](?!real|detail|fantas|focus)|$)"
    r"|(^|[-_ .\d])tcd([-_ .\d]|$)",
    "turbo": r"turbo(?!gra|jet|prop|diesel|charge)",
    "lcm": r"(^|[-_ .\d])(lcm|ssd-?lcm)([-_ .\d]|$)|latent[-_ ]?consistency",
    "pcm": r"(^|[-_ .\d])pcm([-_ .\d]|$)|phased[-_ ]?consistency",
    "flash": r"flash[-_ ]?(sd|xl|diffusion|pixart)"
    r"|(^|[-_ ])flash([-_ ](?!photo|light|back|gordon|point|man)|$)",
    "sdxs": r"(^|[-_ .\d])sdxs",
}
"""Whole words of a name, in lower case; the surer first: “lightning-turbo” is a Lightning.

What is painted is no way of painting it: bolts of lightning, a photograph with a flash.
"""

_HEADERS = (
    "modelspec.title", "modelspec.description", "modelspec.tags", "ss_output_name",
    "ss_sd_model_name",
)  # fmt: skip
"""Entries of a file's header in which its maker names it, the surest first."""

_SCHEDULERS = {"LCMScheduler": "lcm", "TCDScheduler": "hyper"}
_PIPELINES = {"LatentConsistency": "lcm"}
_TURBO = {
    "_class_name": "EulerAncestralDiscreteScheduler",
    "timestep_spacing": "trailing",
    "prediction_type": "epsilon",
}


def preset_told_by(name: str) -> str:
    """The scheduler of what has a name that says it was distilled; empty for others."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name)
    words = re.sub(r"(?<=[A-Z\d])(?=[A-Z][a-z])", "-", words)
    for scheduler, pattern in _NAMES.items():
        if any(re.search(pattern, spelled.lower()) for spelled in (name, words)):
            return scheduler
    return ""


def preset_told_by_header(header: Mapping[str, str]) -> str:
    """The same from the header of a safetensors file."""
    own = {name.strip().lower(): words for name, words in header.items()}
    for name in _HEADERS:
        if name in own and (found := preset_told_by(own[name])):
            return found
    return ""


def preset_told_by_folder(pipeline: str, scheduler: Mapping[str, object]) -> str:
    """The same from the class names that a folder of diffusers gives.

    A folder may be called anything: the noise levels with which Turbo is published are its alone.
    """
    for start, preset in _PIPELINES.items():
        if pipeline.startswith(start):
            return preset
    if all(scheduler.get(name) == value for name, value in _TURBO.items()):
        return "turbo"
    return _SCHEDULERS.get(str(scheduler.get("_class_name")), "")
