"""Weight files that a person already has: linked into Acetate's folder under safe names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from acetate.errors import AcetateError, BadRequest
from acetate.models.catalog import catalog
from acetate.models.hashing import file_hash
from acetate.models.identify import Kind, Role, recognise_file
from acetate_bridge.client.discovery import data_folder
from acetate_bridge.protocol.types import ControlKind

_NATIVE = {"sd15": 512, "sdxl": 1024}
_LONGEST_NAME = 60
_UNPICKLING = Path(__file__).with_name("unpickling.py")
_PICKLED = (".pth", ".pt", ".ckpt", ".bin")


Form = Literal["file", "folder", "hub"]


class CannotImport(AcetateError):
    """A file cannot be taken over; nothing has changed."""

    code = "cannot_import"


@dataclass(frozen=True)
class Own:
    """An imported file: its name in the folder, what it is, its SHA-256 and where it came from.

    `kind` says what a control network follows. A base may instead be a folder on the disk or a
    repository of the hub (`form`), which stays at its `source`; `native` is the side it paints at.
    """

    name: str
    role: Role
    families: tuple[str, ...]
    sha256: str
    source: str
    kind: str = ""
    form: Form = "file"
    native: int = 0


def own_folder() -> Path:
    """Where imported files lie; ACETATE_MODELS_DIR names another folder."""
    return Path(os.environ.get("ACETATE_MODELS_DIR") or data_folder() / "models")


def own_files(role: Role | None = None, family: str = "") -> list[Own]:
    """What has been imported, in that order; of one role, or for one family, where that is said."""
    try:
        entries = json.loads(_register().read_text(encoding="utf-8"))
        files = [Own(**{**entry, "families": tuple(entry["families"])}) for entry in entries]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise CannotImport(
            f"The list of imported files at {_register()} cannot be read.", "Delete it to go on."
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


def own_file_of(pickled: Path) -> Path | None:
    """The safetensors that a pickled file was, or now is, taken over as.

    Raises CannotImport, NotRecognised or ModelDamaged.
    """
    return own_file(import_file(pickled).name)


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


def import_file(source: Path, kind: str = "") -> Own:
    """Take a weight file over, without copying where the system can link.

    A file that the catalog knows by its hash gets its published name. Pickled files (.pth) are
    read in a process of their own that runs nothing of what is in them, and kept as safetensors.
    `kind` says what a control network follows where its name does not tell. Raises CannotImport,
    NotRecognised or ModelDamaged.
    """
    if not os.path.isfile(source):  # Path's own question raises for names that are too long.
        raise CannotImport(f"There is no file at {str(source)[:200]}.")
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with _as_safetensors(source.resolve()) as (file, converted):
        own = _described(source, recognise_file(file), file_hash(source), kind)
        target = folder / own.name
        if target.exists():
            raise CannotImport(f"{own.name} is imported already.")
        if converted:
            shutil.move(file, target)
        else:
            _link(file, target)
    register(own)
    return own


def register(own: Own) -> None:
    """Put something on the list of what was imported. Raises CannotImport if its name is taken."""
    files = own_files()
    if own.name in {other.name for other in files}:
        raise CannotImport(f"{own.name} is imported already.")
    own_folder().mkdir(parents=True, exist_ok=True)
    _write_register([*files, own])


def remove_own(name: str) -> None:
    """Forget an imported file; what it was linked from stays. Raises BadRequest."""
    kept = [own for own in own_files() if own.name != name]
    if len(kept) == len(own_files()):
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


def _described(source: Path, found: Kind, sha256: str, kind: str) -> Own:
    files = {part.file.sha256: part.file for entry in catalog().values() for part in entry.parts}
    name = safe_name(source.stem)
    if sha256 in files:
        name = f"{Path(files[sha256].name).stem}.safetensors"
    elif found.role == "pair":
        name = "TransparentVAE.safetensors"
    elif "" in files and name == files[""].name:
        found = Kind("patch", found.families)  # Its hash is not published, its name is.
    native = _NATIVE.get(found.families[0], 0) if found.role == "base" else 0
    if found.role == "control":
        kind = control_kind(kind or source.stem, source.name)
    elif kind:
        raise CannotImport(f"{source.name} is a {found.role}, which follows no control image.")
    path = str(source.resolve())
    return Own(name, found.role, found.families, sha256, path, kind=kind, native=native)


def control_kind(words: str, name: str) -> ControlKind:
    """What a control network follows, from its file's name. Raises CannotImport."""
    plain = words.lower().replace("_", "").replace("-", "").replace("sketch", "scribble")
    for kind in get_args(ControlKind):
        if kind in plain:
            return kind
    raise CannotImport(
        f"The name of {name} does not say what the control network follows.",
        f"Say it with --kind: {', '.join(get_args(ControlKind))}.",
    )


@contextmanager
def _as_safetensors(source: Path) -> Iterator[tuple[Path, bool]]:
    """The file itself, or a converted one that may be moved away; and whether it is converted."""
    if source.suffix == ".safetensors":
        yield source, False
        return
    if source.suffix not in _PICKLED:
        raise CannotImport(f"{source.name} is no weight file: take a .safetensors or .pth file.")
    with tempfile.TemporaryDirectory(dir=own_folder()) as folder:
        converted = Path(folder) / "converted.safetensors"
        command = [sys.executable, "-I", str(_UNPICKLING), str(source), str(converted)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["it cannot be read"])[-1]
            raise CannotImport(f"{source.name} was not imported: {reason.rstrip('.')}.")
        yield converted, True


def _link(source: Path, target: Path) -> None:
    for link in (os.link, os.symlink):
        try:
            link(source, target)
            return
        except OSError:
            continue  # Another disk, or a system without such links: try the next way.
    shutil.copyfile(source, target)


def _register() -> Path:
    return own_folder() / "imported.json"


def _write_register(files: list[Own]) -> None:
    temporary = _register().with_name(f"imported.{os.getpid()}.part")
    temporary.write_text(json.dumps([asdict(own) for own in files], indent=1), encoding="utf-8")
    temporary.replace(_register())
