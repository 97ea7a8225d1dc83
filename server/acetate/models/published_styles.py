"""Styles that others published and Acetate can fetch: bases distilled to few steps, as LoRAs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from acetate.models.catalog import Entry, Part, WeightFile
from acetate.models.families import FAMILIES


@dataclass(frozen=True)
class PublishedStyle:
    """`preset` is the scheduler that it was distilled for; see `FEW_STEPS`."""

    id: str
    title: str
    family: str
    preset: str
    licence: str
    file: WeightFile

    @property
    def entry(self) -> Entry:
        """What is fetched of it, as of a model of one file."""
        modes = FAMILIES[self.family].modes
        parts = (Part(self.file, modes),)
        return Entry(self.id, self.title, self.family, modes, self.licence, 0, 0, parts=parts)


@cache
def published_styles() -> dict[str, PublishedStyle]:
    """All of them by their id."""
    text = files("acetate.models").joinpath("styles.toml").read_text(encoding="utf-8")
    return {fields["id"]: _style(fields) for fields in tomllib.loads(text)["style"]}


def style_for(preset: str, family: str) -> PublishedStyle | None:
    """The one that brings a base of this family to a few-step scheduler."""
    return next(
        (
            style
            for style in published_styles().values()
            if (style.preset, style.family) == (preset, family)
        ),
        None,
    )


def _style(fields: dict[str, Any]) -> PublishedStyle:
    place = {name: fields.pop(name) for name in ("repository", "name", "size")}
    return PublishedStyle(**fields, file=WeightFile(fields["id"], **place))
