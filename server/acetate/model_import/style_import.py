"""Taking over a style: whether its family can fuse it, and what else its file says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate.errors import ModelDamaged
from acetate.models.few_steps import FEW_STEPS, preset_told_by, preset_told_by_header
from acetate.models.files import read_config
from acetate.models.identify import header_of
from acetate.models.own_register import Own
from acetate.models.recognition_error import NotRecognised
from acetate.models.trigger_words import TRIGGERS, trigger_words

ADAPTER = "lora_adapter_metadata"
"""Where diffusers writes rank and alpha, in the header of the file."""


def examine_style(own: Own, file: Path, told: Path) -> Own:
    """The style with what is known of it. Raises NotRecognised for what cannot be fused.

    `told` is the file that the person named, beside which its configuration may lie.
    """
    from acetate.adapters.style_fit import skipped_words, style_fits

    header = header_of(file)
    facts = _configuration_beside(told) if ADAPTER not in header else {}
    preset = preset_told_by_header(header) or preset_told_by(told.stem)
    try:
        families = _told_by_header(header, own.families)
        families, left_out = style_fits(file, families, header | facts, told.name)
    except ModelDamaged as error:
        raise NotRecognised(error.message, error.hint) from error
    notes = [skipped_words(left_out)] if left_out else []
    if words := trigger_words(header, told):
        facts = facts | {TRIGGERS: words}
        notes.append(f"It wants to hear: {words}.")
    if preset and "flux" not in own.families:
        steps, guidance = FEW_STEPS[preset]
        notes.append(
            f"It was distilled ({preset}): paint with it in {steps} steps at a guidance of "
            f"{guidance:g}."
        )
    return replace(own, families=families, preset=preset, facts=facts, notes=tuple(notes))


def _told_by_header(header: Mapping[str, str], families: tuple[str, ...]) -> tuple[str, ...]:
    """Of several families that a file could be for, the one that its trainer has written down."""
    words = f"{header.get('ss_base_model_version')} {header.get('modelspec.architecture')}"
    told = "sdxl" if "xl" in words else "sd15" if re.search(r"sd_v1|diffusion-v1", words) else ""
    return (told,) if told in families else families


def _configuration_beside(path: Path) -> dict[str, Any]:
    """What peft keeps in a file of its own, in the form that diffusers puts into the header."""
    beside = path.with_name("adapter_config.json")
    if not path.name.startswith("adapter_model") or not beside.is_file():
        return {}
    try:
        content = read_config(beside)
    except ModelDamaged as error:
        raise NotRecognised(f"{beside.name} beside {path.name} cannot be read.") from error
    return {ADAPTER: json.dumps(content)}
