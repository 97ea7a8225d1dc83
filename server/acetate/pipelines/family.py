"""What a family of models brings beside its row: how one of its models is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from acetate.models.families import FAMILIES

if TYPE_CHECKING:
    import torch

    from acetate.models.catalog import Entry
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.transparency_weights import Locate


@dataclass(frozen=True)
class ModelFiles:
    """Where the files of one model lie: its folder or checkpoint, and those for transparency.

    `entry` is what the list of models knows of it, if it is listed at all.
    """

    place: Path
    model: str
    """The id that it goes by."""
    device: torch.device
    locate: Locate
    entry: Entry | None = None


class FamilyLoader(ABC):
    """The code of a family, as `LOADER` in the module `loader` of its folder."""

    whole: ClassVar[bool] = False
    """Whether a model is one folder of diffusers and nothing else."""

    @abstractmethod
    def load(self, files: ModelFiles) -> Pipeline:
        """Read a model onto its device. Raises ModelMissing or ModelDamaged naming a file."""


def loader_of(family: str) -> FamilyLoader:
    """The code of a family, which is imported only now: it brings torch with it."""
    loader = import_module(f"{FAMILIES[family].package}.loader").LOADER
    assert isinstance(loader, FamilyLoader)
    return loader
