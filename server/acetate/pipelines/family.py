"""What a family of models brings beside its row: how one of its models is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from acetate.models.base_facts import BaseFacts
from acetate.models.base_inventory import Inventory
from acetate.models.families import FAMILIES
from acetate.models.recognition_error import NotRecognised
from acetate.models.supplies import Wishes

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


@dataclass(frozen=True)
class Candidate:
    """A base that a person wants to take over: a folder of diffusers, or one file.

    `name` is for sentences, `came_as` the name that its maker gave it; `wishes` is what the person
    says about it, and `found` what is known before its parts are looked at.
    """

    place: Path
    name: str
    came_as: str
    wishes: Wishes
    found: BaseFacts = BaseFacts(0)


class FamilyLoader(ABC):
    """The code of a family, as `LOADER` in the module `loader` of its folder."""

    whole: ClassVar[bool] = False
    """Whether a model is one folder of diffusers and nothing else."""

    @abstractmethod
    def load(self, files: ModelFiles) -> Pipeline:
        """Read a model onto its device. Raises ModelMissing or ModelDamaged naming a file."""

    def examine_folder(self, folder: Candidate) -> tuple[BaseFacts, list[Path]]:
        """What is to be remembered of a base in a folder, and its files with weights.

        Raises NotRecognised, CannotImport, ModelMissing or ModelDamaged with what stands in the way
        of painting; what passes here paints.
        """
        raise NotRecognised(f"{folder.name} is of a family whose bases are not taken over.")

    def examine_file(self, file: Candidate, inventory: Inventory) -> BaseFacts:
        """The same of a base in one file, with the parts that are in it."""
        raise NotRecognised(f"{file.name} is of a family whose bases are folders.")


def loader_of(family: str) -> FamilyLoader:
    """The code of a family, which is imported only now: it brings torch with it."""
    loader = import_module(f"{FAMILIES[family].package}.loader").LOADER
    assert isinstance(loader, FamilyLoader)
    return loader
