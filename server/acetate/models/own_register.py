"""The list of what a person imported, and the folder where its files lie."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import msgspec

from acetate.errors import AcetateError, BadRequest
from acetate.models.control_kinds import SEPARATOR
from acetate.models.identify import Role
from acetate.models.turns import alone_with
from acetate_bridge.client.discovery import data_folder
from acetate_bridge.client.paths import read_bounded, write_whole
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.limits import LARGEST_SIDE

_LONGEST_NAME = 60
_NAME = re.compile(r"[^/\\:\x00-\x1f]{1,200}")

Form = Literal["file", "folder", "hub"]


class CannotImport(AcetateError):
    """A file cannot be taken over; nothing has changed."""

    code = "cannot_import"


@dataclass(frozen=True)
class Own:
    """An imported file: its name in the folder, what it is, its SHA-256 and where it came from.

    `kind` says what a control network follows, one kind or several. A base may instead be a folder
    on the disk or a repository of the hub (`form`), which stays at its `source`; `native` is the
    side it paints at, `preset` the scheduler that it was distilled for, `facts` what else was told
    of its training, `fills` whether it fills holes. `supplied` are the parts that it lacks:
    “file:NAME” or “model:ID” by the part. `notes` are sentences for the person who imports it.
    """

    name: str
    role: Role
    families: tuple[str, ...]
    sha256: str
    source: str
    kind: str = ""
    form: Form = "file"
    native: int = 0
    preset: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    supplied: dict[str, str] = field(default_factory=dict[str, str])
    fills: bool = False
    notes: tuple[str, ...] = ()

    @property
    def follows(self) -> tuple[str, ...]:
        """The kinds of control images that a control network follows."""
        return tuple(self.kind.split(SEPARATOR)) if self.kind else ()


def own_folder() -> Path:
    """Where imported files lie; ACETATE_MODELS_DIR names another folder."""
    return Path(os.environ.get("ACETATE_MODELS_DIR") or data_folder() / "models")


def own_files(role: Role | None = None, family: str = "") -> list[Own]:
    """What has been imported, in that order; of one role, or for one family, where that is said."""
    try:
        files = [_read(entry) for entry in read_json(read_bounded(_register()))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise CannotImport(
            f"The list of imported files at {_register()} cannot be read.",
            "Move it away to go on, and import the files anew.",
        ) from error
    return [
        own for own in files if role in (None, own.role) and (not family or family in own.families)
    ]


def own_file(name: str) -> Path | None:
    """The path of an imported file by its name in the list; names are never paths.

    A link in the folder is followed only to where its file was imported from.
    """
    own = next((own for own in own_files() if own.name == name and own.form == "file"), None)
    if own is None:
        return None
    path = own_folder() / name
    if path.is_symlink() and path.resolve() != Path(own.source):
        return None
    return path if path.is_file() else None


def own_named(name: str, role: Role) -> Own:
    """What was imported under a name, with or without its ending. Raises BadRequest."""
    found = own_files(role)
    for own in found:
        if name in (own.name, own.name.removesuffix(".safetensors")):
            return own
    words = {"style": "style", "control": "control network"}.get(role, role)
    known = ", ".join(own.name.removesuffix(".safetensors") for own in found)
    raise BadRequest(
        f"There is no {words} called “{name[:60]}”.",
        f"Imported are {known}." if known else "Take one over with `acetate models import`.",
    )


def style_preset(names: Iterable[str]) -> str:
    """The scheduler that one of these styles was distilled for, if any. Raises BadRequest."""
    return next((own.preset for name in names if (own := own_named(name, "style")).preset), "")


def register(own: Own) -> None:
    """Put something on the list of what was imported. Raises CannotImport if its name is taken."""
    with alone_with(_register()):
        files = own_files()
        if own.name in {other.name for other in files}:
            raise CannotImport(f"{own.name} is imported already.")
        _write_register([*files, own])


def remove_own(name: str) -> None:
    """Forget an imported file; what it was linked from stays. Raises BadRequest."""
    with alone_with(_register()):
        files = own_files()
        kept = [own for own in files if own.name != name]
        if len(kept) == len(files):
            raise BadRequest(f"Nothing called “{name}” was imported.")
        if not (own_folder() / name).is_dir():
            (own_folder() / name).unlink(missing_ok=True)
        _write_register(kept)


def safe_name(stem: str) -> str:
    """A file name that is safe on every system; differing long or foreign names stay different."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")
    if plain != stem.lower() or len(plain) > _LONGEST_NAME:
        plain = f"{plain[:_LONGEST_NAME]}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
    return f"{plain.lstrip('-')}.safetensors"


def _read(entry: Any) -> Own:
    """An entry of the list. Raises ValueError for what `register` cannot have written."""
    own = msgspec.convert(entry, Own)
    # Rewriting the list would lose what a later version has noted.
    if set(entry) - {each.name for each in fields(Own)}:
        raise ValueError("it has fields that this version does not know")
    # Names are joined to the folder, and their files are deleted.
    if not _NAME.fullmatch(own.name) or own.name in (".", ".."):
        raise ValueError("a name leads elsewhere")
    if not 0 <= own.native <= LARGEST_SIDE or (own.role == "base" and not own.families):
        raise ValueError("it describes no model")
    return own


def _register() -> Path:
    return own_folder() / "imported.json"


def _write_register(files: list[Own]) -> None:
    write_whole(_register(), json.dumps([asdict(own) for own in files], indent=1))
