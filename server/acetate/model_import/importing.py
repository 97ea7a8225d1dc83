"""A base of one's own that is a folder of diffusers, or a repository of the hub in that layout."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from pathlib import Path

from acetate.model_import.adapter_import import described_adapter
from acetate.model_import.imported_files import import_file
from acetate.models.catalog import Entry, catalog
from acetate.models.component_files import index_names
from acetate.models.download_plan import explained
from acetate.models.families import families_taken_over
from acetate.models.files import MALFORMED, read_config
from acetate.models.folder_kinds import family_of_folder
from acetate.models.foreign_files import what_it_is
from acetate.models.hashing import model_hash
from acetate.models.hub_cache import base_folder
from acetate.models.own_register import CannotImport, Own, own_files, register, safe_name
from acetate.models.recognition_error import NotRecognised
from acetate.models.rgba_adapter import adapter_in
from acetate.models.supplies import Wishes
from acetate.pipelines.family import Candidate, loader_of

_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)

_WEIGHTS_END = (".safetensors", ".sft")


def import_any(
    source: str,
    kind: str = "",
    *,
    vae: str = "",
    text_encoder: str = "",
    prediction: str = "",
    base: str = "",
) -> Own:
    """Take over a weight file, a folder of diffusers, or a base at the hub by its `owner/name`.

    What is on the disk comes first. A base of the hub must be in the shared cache; `hub_entry`
    says what to pull. `vae` and `text_encoder` name what a base's own parts are replaced with,
    `prediction` what it predicts, `base` the model that an RGBA adapter goes onto; see `Wishes`.
    Raises CannotImport, NotRecognised, ModelMissing or ModelDamaged.
    """
    try:
        return _import_any(source, kind, Wishes(vae, text_encoder, prediction, base))
    except MALFORMED as error:
        # Whoever made the files can give their tensors and settings any form at all.
        raise NotRecognised(
            f"{Path(source).name[:100]} is put together as no model is.",
            "Fetch it again, or take it from somebody else.",
        ) from error


def _import_any(source: str, kind: str, wishes: Wishes) -> Own:
    place = Path(source).expanduser()
    # Not Path's own questions, which raise for names that no system takes.
    if os.path.isdir(place):
        name = safe_name(place.resolve().name)
        adapter = adapter_in(place.resolve())
        if adapter is None and (file := _only_file_in(place)):
            return import_file(file, kind, wishes)
        if adapter is None:
            if not (place / "model_index.json").exists():
                raise _no_pipeline(place, source)
            own = _described(place, name, str(place.resolve()), kind, wishes)
        else:
            own = described_adapter(adapter, name, wishes)
    elif os.path.exists(place) or not is_repository(source):
        return import_file(place, kind, wishes)
    else:
        folder = base_folder(source)
        if folder is None:
            raise CannotImport(f"There is no file at {source}, nor a base of that name fetched.")
        name = safe_name(source.split("/")[1])
        own = _described(folder, name, source, kind, wishes, hub=True)
    if own.name in catalog() or own.name in {
        other.name.removesuffix(".safetensors") for other in own_files()
    }:
        raise CannotImport(f"There is already a model called {own.name}: rename the folder.")
    register(own)
    return own


def _no_pipeline(place: Path, source: str) -> CannotImport:
    """The error for a folder without the file that says what its parts make up."""
    parts = sorted(path.parent.name for path in place.glob("*/config.json"))
    inside = f", but {', '.join(parts)[:200]}" if parts else ""
    return CannotImport(
        f"There is no model in the folder {source[:200]}: it has no model_index.json{inside}.",
        "Name a file of weights in it, or the folder that a pipeline was saved to.",
    )


def _only_file_in(folder: Path) -> Path | None:
    """The weights in a folder that is no pipeline but holds one component or one style."""
    if (folder / "model_index.json").exists():
        return None
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _WEIGHTS_END)
    return found[0] if len(found) == 1 else None


def is_repository(source: str) -> bool:
    """Whether a word can name a repository of the hub: `owner/name`."""
    return _REPOSITORY.fullmatch(source) is not None and ".." not in source


def hub_entry(repository: str, endpoint: str | None = None) -> Entry:
    """What to pull of a base at the hub: configurations, and half-precision weights if any.

    Raises CannotFetch, or NotRecognised for a repository in another layout.
    """
    from huggingface_hub import HfApi

    with explained(repository, endpoint):
        info = HfApi(endpoint=endpoint).model_info(repository)
    names = [sibling.rfilename for sibling in info.siblings or ()]
    wanted = [name for name in names if fnmatch(name, "scheduler/*") or name in _SMALL]
    for part, stem in _WEIGHTS.items():
        wanted += _weights_wanted(part, stem, names)
        wanted += [f"{part}/config.json"] if f"{part}/config.json" in names else []
    if "model_index.json" not in wanted or not any(name.startswith("unet/") for name in wanted):
        raise NotRecognised(
            f"{repository} is not in the layout of diffusers, or has no safetensors.",
            "Fetch its checkpoint file yourself and import that.",
        )
    card = info.card_data
    return Entry(
        id=repository,
        name=repository,
        family="sd15",
        modes=("text",),
        licence=str(getattr(card, "license", None) or "a licence that its card does not name"),
        memory=0,
        native=512,
        base=repository,
        base_files=tuple(wanted),
    )


def _weights_wanted(part: str, stem: str, names: list[str]) -> list[str]:
    """The weights of a component in half precision where they are, whole or in shards."""
    for variant in (".fp16", ""):
        whole = f"{part}/{stem}{variant}.safetensors"
        if whole in names:
            return [whole]
        indices = [f"{part}/{index}" for index in index_names(stem, variant)]
        if found := [index for index in indices if index in names]:
            dot = re.escape(variant)
            shard = rf"{part}/{stem}({dot})?-\d+-of-\d+({dot})?\.safetensors"
            shards = [name for name in names if re.fullmatch(shard, name)]
            marked = [name for name in shards if (".fp16" in name) == bool(variant)]
            return [*found, *marked]
    return []


_WEIGHTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
    "text_encoder_2": "model",
}
_SMALL = {"model_index.json"} | {
    f"{part}/{name}"
    for part in ("tokenizer", "tokenizer_2")
    for name in (
        "vocab.json",
        "merges.txt",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
    )
}


def _described(
    folder: Path, name: str, source: str, kind: str, wishes: Wishes, *, hub: bool = False
) -> Own:
    if kind:
        raise CannotImport("A base follows no control image, so it has no --kind.")
    _check_whole(folder)
    said = str(read_config(folder / "model_index.json").get("_class_name"))
    family = family_of_folder(said)
    if not family:
        raise NotRecognised(
            f"{folder} holds a {said}, which Acetate cannot paint with: "
            f"it needs {families_taken_over()}."
        )
    candidate = Candidate(folder, folder.name, Path(source).name, wishes)
    found, weights = loader_of(family).examine_folder(candidate)
    return Own(
        name.removesuffix(".safetensors"),
        "base",
        (family,),
        model_hash(weights),
        source,
        form="hub" if hub else "folder",
        **vars(found),
    )


def _check_whole(folder: Path) -> None:
    """Raises NotRecognised where the weights of a cloned folder never arrived."""
    for path in folder.glob("*/*"):
        if path.suffix.lower() not in _WEIGHTS_END:
            continue
        if words := what_it_is(path):
            raise NotRecognised(f"{path.relative_to(folder)} in {folder.name} is {words}.")
