"""A family of models that Acetate does not know: one folder and one row, as a new one begins."""

from __future__ import annotations

import json
from pathlib import Path

from acetate.models.families import Family

TOY = Family(
    package="tests.support.toy_family",
    label="Toy",
    multiple=8,
    steps=4,
    guidance=1.0,
    modes=("text", "refine"),
    passes=1,
    folders="ToyPipeline",
    imported=False,
)


def write_toy(folder: Path, colour: tuple[int, int, int] = (200, 40, 40)) -> Path:
    """A model that paints a disc of one colour."""
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "ToyPipeline"}))
    (folder / "colour.json").write_text(json.dumps(colour))
    return folder
