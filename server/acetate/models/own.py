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

from acetate.errors import AcetateError, BadRequest
from acetate.models.catalog import catalog
from acetate.models.hashing import file_hash
from acetate.models.recognition import Kind, Role, recognise_file
from acetate_bridge.discovery import data_folder

_LONGEST_NAME = 60
_UNPICKLING = Path(__file__).with_name("unpickling.py")
_PICKLED = (".pth", ".pt", ".ckpt", ".bin")


class CannotImport(AcetateError):
    """A file cannot be taken over; nothing has changed."""

    code = "cannot_import"


@dataclass(frozen=True)
class Own:
    """An imported file: its name in the folder, what it is, its SHA-256 and where it came from."""

    name: str
    role: Role
    families: tuple[str, ...]
    sha256: str
    source: str


def own_folder() -> Path:
    """Where imported files lie; ACETATE_MODELS_DIR names another folder."""
    return Path(os.environ.get("ACETATE_MODELS_DIR") or data_folder() / "models")


def own_files() -> list[Own]:
    """What has been imported, in that order."""
    try:
        entries = json.loads(_register().read_text(encoding="utf-8"))
        return [Own(**{**entry, "families": tuple(entry["families"])}) for entry in entries]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise CannotImport(
            f"The list of imported files at {_register()} cannot be read.", "Delete it to go on."
        ) from error


def own_file(name: str) -> Path | None:
    """The path of an imported file by its name in the list; names are never paths."""
    if name not in {own.name for own in own_files()}:
        return None
    path = own_folder() / name
    return path if path.is_file() else None


def import_file(source: Path) -> Own:
    """Take a weight file over, without copying where the system can link.

    A file that the catalog knows by its hash gets its published name. Pickled files (.pth) are
    read in a process of their own that runs nothing of what is in them, and kept as safetensors.
    Raises CannotImport, NotRecognised or ModelDamaged.
    """
    if not source.is_file():
        raise CannotImport(f"There is no file at {source}.")
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with _as_safetensors(source.resolve()) as (file, converted):
        kind = recognise_file(file)
        own = _described(source, kind, file_hash(file))
        target = folder / own.name
        if target.exists():
            raise CannotImport(f"{own.name} is imported already.")
        if converted:
            shutil.move(file, target)
        else:
            _link(file, target)
    _write_register([*own_files(), own])
    return own


def remove_own(name: str) -> None:
    """Forget an imported file; what it was linked from stays. Raises BadRequest."""
    kept = [own for own in own_files() if own.name != name]
    if len(kept) == len(own_files()):
        raise BadRequest(f"Nothing called “{name}” was imported.")
    (own_folder() / name).unlink(missing_ok=True)
    _write_register(kept)


def safe_name(stem: str) -> str:
    """A file name that is safe on every system; differing long or foreign names stay different."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")
    if plain != stem.lower() or len(plain) > _LONGEST_NAME:
        plain = f"{plain[:_LONGEST_NAME]}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
    return f"{plain.lstrip('-')}.safetensors"


def _described(source: Path, kind: Kind, sha256: str) -> Own:
    files = {part.file.sha256: part.file for entry in catalog().values() for part in entry.parts}
    name = files[sha256].name if sha256 in files else safe_name(source.stem)
    return Own(name, kind.role, kind.families, sha256, str(source.resolve()))


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
