"""Taking over a base in one file: its parts, its kind and its training, before it is rehearsed."""

from __future__ import annotations

from pathlib import Path

from acetate.models.base_facts import BaseFacts
from acetate.models.base_inventory import take_inventory
from acetate.models.few_steps import GUIDED_LCM, preset_told_by, preset_told_by_header
from acetate.models.foreign_files import ends_in_nothing
from acetate.models.identify import header_of, shapes_in
from acetate.models.recognition_error import NotRecognised
from acetate.models.supplies import Wishes
from acetate.models.training_facts import facts_of_checkpoint
from acetate.pipelines.family import Candidate, loader_of


def examine_checkpoint(path: Path, family: str, name: str, wishes: Wishes, told: Path) -> BaseFacts:
    """Look at a base in one file; `told` is the file that the person named, beside which a
    configuration may lie.

    Raises NotRecognised, CannotImport or ModelDamaged with what stands in the way of painting.
    """
    shapes, header = shapes_in(path), header_of(path)
    if ends_in_nothing(path):
        raise NotRecognised(
            f"{name} is half a download: its last quarter is nothing but zeros.",
            "Let the download end, or fetch it again.",
        )
    inventory = take_inventory(shapes, family, name)
    facts, notes = facts_of_checkpoint(told, shapes, header)
    if wishes.prediction:
        facts, notes = facts | wishes.facts, []
    preset = preset_told_by_header(header) or preset_told_by(told.stem)
    if any(key.endswith("time_embed.cond_proj.weight") for key in shapes):
        preset = GUIDED_LCM
    found = BaseFacts(0, preset, facts, {}, inventory.fills, tuple(notes))
    return loader_of(family).examine_file(
        Candidate(path, name, told.stem, wishes, found), inventory
    )
