"""Weight files that a person already has: linked into Acetate's folder under safe names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from acetate.errors import ModelDamaged
from acetate.model_import.base_import import examine_checkpoint
from acetate.model_import.image_import import examine_image_network
from acetate.model_import.style_import import examine_style
from acetate.model_import.upscaler_import import examine_upscaler
from acetate.models.catalog import catalog
from acetate.models.control_kinds import SEPARATOR, union_kinds
from acetate.models.families import FAMILIES, SPLIT
from acetate.models.foreign_files import is_pickled, is_safetensors, what_it_is
from acetate.models.gguf_header import is_gguf
from acetate.models.hashing import file_hash
from acetate.models.identify import Kind, recognise, shapes_in
from acetate.models.image_adapters import ADAPTER, ENCODER
from acetate.models.own_register import (
    CannotImport,
    Own,
    own_file,
    own_folder,
    register,
    safe_name,
)
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import UPSCALER
from acetate.models.supplies import Wishes
from acetate_bridge.protocol.types import ControlKind

_UNPICKLING = Path(__file__).with_name("convert_pickle.py")


def own_file_of(pickled: Path) -> Path | None:
    """The safetensors that a pickled file was, or now is, taken over as.

    Raises CannotImport, NotRecognised or ModelDamaged.
    """
    return own_file(import_file(pickled).name)


def import_file(
    source: Path, kind: str = "", wishes: Wishes | None = None, *, name: str = "", preset: str = ""
) -> Own:
    """Take a weight file over, without copying where the system can link.

    A file that the catalog knows by its hash gets its published name. Pickled files (.pth) are
    read in a process of their own that runs nothing of what is in them, and kept as safetensors.
    `kind` says what a control network follows where its name does not tell, `name` how the file is
    called here, `preset` what it was distilled for, where both are known better than from the file.
    Raises CannotImport, NotRecognised or ModelDamaged.
    """
    if not os.path.isfile(source):  # Path's own question raises for names that are too long.
        raise CannotImport(f"There is no file at {str(source)[:200]}.")
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if words := what_it_is(source):
        raise NotRecognised(f"{source.name} is {words}.")
    if source.suffix.lower() == ".onnx":
        return _import_matting(source.resolve())
    with _as_safetensors(source.resolve()) as (file, converted):
        found = _recognised(file, source.name)
        own = _described(source, file, found, file_hash(source), kind, wishes or Wishes())
        if name:
            own = replace(own, name=safe_name(name), preset=preset or own.preset)
        target = folder / own.name
        if target.exists():
            raise CannotImport(f"{own.name} is imported already.")
        if converted:
            shutil.move(file, target)
        else:
            _link(file, target)
    register(own)
    return own


def _recognised(file: Path, name: str) -> Kind:
    """What a file is; spandrel may know an upscaler in what nothing here knows."""
    try:
        return recognise(shapes_in(file), name)
    except NotRecognised as unknown:
        if find_spec("spandrel") is not None:
            with suppress(NotRecognised):
                examine_upscaler(file, name)
                return Kind(UPSCALER, (UPSCALER,))
        raise unknown


def _import_matting(source: Path) -> Own:
    """A network of ONNX, which is kept as it is. Raises NotRecognised where it does not matte."""
    import torch

    from acetate.matting.network import MattingNetwork

    try:
        MattingNetwork(source)(torch.zeros(1, 3, 64, 64))
    except ModelDamaged as error:
        raise NotRecognised(error.message, error.hint) from error
    name = f"{safe_name(source.stem).removesuffix('.safetensors')}.onnx"
    if (own_folder() / name).exists():
        raise CannotImport(f"{name} is imported already.")
    splitting = tuple(name for name, family in FAMILIES.items() if family.can(SPLIT))
    note = "Models that fill a selection can now split a picture into layers (decompose)."
    own = Own(name, "matting", splitting, file_hash(source), str(source), notes=(note,))
    _link(source, own_folder() / name)
    register(own)
    return own


def _described(
    source: Path, file: Path, found: Kind, sha256: str, kind: str, wishes: Wishes
) -> Own:
    files = {part.file.sha256: part.file for entry in catalog().values() for part in entry.parts}
    name = safe_name(source.stem)
    if sha256 in files:
        name = f"{Path(files[sha256].name).stem}.safetensors"
    elif found.role == "pair":
        name = "TransparentVAE.safetensors"
    elif found.role == "style" and name.removesuffix(".safetensors") in {
        other for file in files.values() for other in file.also
    }:
        found = Kind("patch", found.families)  # Another port's form of a published one.
    elif "" in files and name == files[""].name:
        found = Kind("patch", found.families)  # Its hash is not published, its name is.
    if is_gguf(file):
        if found.role != "base":
            raise NotRecognised(
                f"{source.name} is a GGUF file of another kind than a denoiser ({found.role}): "
                "take it as .safetensors."
            )
        name = f"{name.removesuffix('.safetensors')}.gguf"
    if found.role == "control":
        several = () if kind else union_kinds(shapes_in(file))
        kind = SEPARATOR.join(several) or control_kind(kind or source.stem, source.name)
    elif kind:
        raise CannotImport(f"{source.name} is a {found.role}, which follows no control image.")
    own = Own(name, found.role, found.families, sha256, str(source.resolve()), kind=kind)
    if found.role == "base":
        family = found.families[0]
        return replace(own, **vars(examine_checkpoint(file, family, source.name, wishes, source)))
    if wishes.any:
        raise CannotImport(f"{source.name} is no base, so nothing is to be said of its parts.")
    if found.role == "style":
        return examine_style(own, file, source)
    if found.role == UPSCALER:
        return replace(own, **examine_upscaler(file, source.name))
    if found.role in (ADAPTER, ENCODER):
        return examine_image_network(own, file, source)
    return _examine_word(own, file, source) if found.role == "words" else own


def _examine_word(own: Own, file: Path, told: Path) -> Own:
    from acetate.models.learned_vectors import vectors_in
    from acetate.models.weights import read_weights

    if not vectors_in(read_weights(file), own.families[0]):
        raise NotRecognised(
            f"{told.name} is a learned word (an embedding, as EasyNegative), but not one for the "
            "text encoders of Stable Diffusion 1.5 or SDXL."
        )
    return replace(own, notes=(f"Write {told.stem} in a prompt, or in what to avoid, to use it.",))


_NETWORK_KINDS = tuple(kind for kind in get_args(ControlKind) if kind != "reference")
"""What networks follow: a reference picture is gone by without one."""
_SHORT: dict[str, ControlKind] = {"hed": "softedge", "seg": "segment"}
"""How some files are called instead."""


def control_kind(words: str, name: str) -> ControlKind:
    """What a control network follows, from its file's name. Raises CannotImport."""
    plain = words.lower().replace("_", "").replace("-", "").replace("sketch", "scribble")
    for kind in _NETWORK_KINDS:
        if kind in plain:
            return kind
    words_of_name = re.split(r"[^a-z]+", words.lower())
    for short, kind in _SHORT.items():
        if short in words_of_name:
            return kind
    raise CannotImport(
        f"The name of {name} does not say what the control network follows.",
        f"Say it with --kind: {', '.join(_NETWORK_KINDS)}.",
    )


@contextmanager
def _as_safetensors(source: Path) -> Generator[tuple[Path, bool]]:
    """The file itself, or a converted one that may be moved away; and whether it is converted.

    A GGUF file stays what it is: its weights are read as they are packed.
    """
    if is_safetensors(source) or is_gguf(source):
        yield source, False
        return
    if not is_pickled(source):
        raise CannotImport(f"{source.name} is no weight file: take a .safetensors or .pth file.")
    with tempfile.TemporaryDirectory(dir=own_folder()) as folder:
        converted = Path(folder) / "converted.safetensors"
        command = [sys.executable, "-I", str(_UNPICKLING), str(source), str(converted)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            # Whatever ended the process itself, by a signal, has said nothing of its own.
            said = done.stderr.decode(errors="replace").strip() if done.returncode == 1 else ""
            reason = (said.splitlines() or ["it cannot be read"])[-1]
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
