"""Which family a folder of diffusers belongs to, by what it says it is."""

from __future__ import annotations

import re

from acetate.models.families import FAMILIES


def family_of_folder(pipeline: str) -> str:
    """The family by the class name in `model_index.json`; empty for those of no use here.

    Pipelines that only differ in what they are given (a picture, a control image) share one base.
    Families whose bases are not imported are left out.
    """
    family = family_painted(pipeline)
    return family if family and FAMILIES[family].imported else ""


def family_painted(pipeline: str) -> str:
    """The same, with the families whose bases are not imported."""
    for name, family in FAMILIES.items():
        if family.foreign and re.fullmatch(family.foreign, pipeline):
            continue
        if family.folders and re.fullmatch(family.folders, pipeline):
            return name
    return ""
