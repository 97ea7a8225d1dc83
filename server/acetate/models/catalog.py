"""The catalog: which models Acetate knows, what they can do, and the files they are made of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from acetate.errors import BadRequest
from acetate.models.families import FAMILIES
from acetate.models.fitting import Network
from acetate_bridge.protocol.frame_planning import FrameLimits


@dataclass(frozen=True)
class WeightFile:
    """A published weight file. `size` is in megabytes; `sha256` is empty where unpublished."""

    id: str
    repository: str
    name: str
    size: float
    sha256: str = ""
    revision: str | None = None
    """The commit of the repository that these facts are about."""
    also: tuple[str, ...] = ()
    """Names, without their ending, under which others published the same weights in other forms."""


@dataclass(frozen=True)
class Part:
    """A file of a model and the modes that need it."""

    file: WeightFile
    modes: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A model of the catalog. `memory` is an estimate in gigabytes of the device."""

    id: str
    name: str
    family: str
    modes: tuple[str, ...]
    licence: str
    memory: float
    native: int
    base: str = ""
    base_licence: str = ""
    base_files: tuple[str, ...] = ()
    """Patterns of the base's files that are needed, as `fnmatch` reads them."""
    base_size: float = 0
    """What those files take, in megabytes; 0 while unknown."""
    revision: str | None = None
    """The commit of the base's repository that is fetched; None: its newest."""
    parts: tuple[Part, ...] = ()
    networks: tuple[Network, ...] = ()
    """How large they are, the denoiser first; empty for what fits anywhere."""
    scheduler: str = ""
    """The one that the base was distilled for; empty for the family's own."""
    place: Path | None = None
    """Where a base of one's own lies: a folder or a checkpoint file."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    """What is known of its training beside what its files say."""
    supplied: tuple[tuple[str, str], ...] = ()
    """Parts that it lacks, and where they come from; see `Own`."""
    fills: bool = False
    """Whether its denoiser was trained to fill holes, and takes mask and picture beside the noise.
    """
    lacking: tuple[str, ...] = ()
    """Of what its parts come from, the models and files that are not here any more."""

    @property
    def frame(self) -> FrameLimits:
        """The sizes that it paints."""
        return FAMILIES[self.family].frames(self.native)

    @property
    def advice(self) -> tuple[int, float]:
        """Steps and guidance that suit most prompts."""
        return FAMILIES[self.family].advice(self.scheduler)

    @property
    def size(self) -> float:
        """What all of its files take, in megabytes, as far as that is known."""
        return self.base_size + sum(part.file.size for part in self.parts)

    def needs_of_base(self, name: str) -> bool:
        """Whether a file of the base repository is needed."""
        return any(fnmatch(name, pattern) for pattern in self.base_files)

    def files_for(self, modes: tuple[str, ...]) -> list[WeightFile]:
        """The transparency files that these modes need."""
        return [part.file for part in self.parts if set(part.modes) & set(modes)]


@cache
def catalog() -> dict[str, Entry]:
    """All models by their id, in the order of the catalog."""
    text = files("acetate.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    revisions = content["revisions"]
    known = {
        fields["id"]: WeightFile(
            **dict[str, Any](fields, also=tuple(fields.get("also", ()))),
            revision=revisions.get(fields["repository"]),
        )
        for fields in content["file"]
    }
    return {
        fields["id"]: _entry(fields, known, revisions.get(fields.get("base")))
        for fields in content["model"]
    }


def entry_named(model: str) -> Entry:
    """The model of that id. Raises BadRequest."""
    if model not in catalog():
        raise BadRequest(
            f"There is no model called “{model}”.", "`acetate models list` shows those there are."
        )
    return catalog()[model]


def _entry(fields: dict[str, Any], known: dict[str, WeightFile], revision: str | None) -> Entry:
    modes = tuple(fields.pop("modes"))
    parts = tuple(
        Part(known[part["file"]], tuple(part.get("modes", modes)))
        for part in fields.pop("parts", [])
    )
    base_files = tuple(fields.pop("base_files", []))
    networks = tuple(
        Network(numbers * 1e6, linear * 1e6) for numbers, linear in fields.pop("networks", [])
    )
    return Entry(
        modes=modes,
        parts=parts,
        base_files=base_files,
        networks=networks,
        revision=revision,
        **fields,
    )
