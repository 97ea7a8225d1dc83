"""A base of one's own that is a folder of diffusers, or a repository of the hub in that layout."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from pathlib import Path

from acetate.models.catalog import Entry, catalog
from acetate.models.download_plan import explained
from acetate.models.files import damaged, read_config
from acetate.models.hashing import model_hash
from acetate.models.hub_cache import base_folder
from acetate.models.identify import NotRecognised, recognise_denoiser
from acetate.models.imported_files import (
    CannotImport,
    Own,
    import_file,
    own_files,
    register,
    safe_name,
)

_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_KINDS = {
    "StableDiffusionPipeline": "sd15",
    "StableDiffusionXLPipeline": "sdxl",
    "FluxPipeline": "flux",
}


def import_any(source: str, kind: str = "") -> Own:
    """Take over a weight file, a folder of diffusers, or a base at the hub by its `owner/name`.

    What is on the disk comes first. A base of the hub must be in the shared cache; `hub_entry`
    says what to pull. Raises CannotImport, NotRecognised, ModelMissing or ModelDamaged.
    """
    place = Path(source).expanduser()
    # Not Path's own questions, which raise for names that no system takes.
    if os.path.isdir(place):
        own = _described(place, safe_name(place.resolve().name), str(place.resolve()), kind)
    elif os.path.exists(place) or not is_repository(source):
        return import_file(place, kind)
    else:
        folder = base_folder(source)
        if folder is None:
            raise CannotImport(f"There is no file at {source}, nor a base of that name fetched.")
        own = _described(folder, safe_name(source.split("/")[1]), source, kind, hub=True)
    if own.name in catalog() or own.name in {
        other.name.removesuffix(".safetensors") for other in own_files()
    }:
        raise CannotImport(f"There is already a model called {own.name}: rename the folder.")
    register(own)
    return own


def is_repository(source: str) -> bool:
    """Whether a word can name a repository of the hub: `owner/name`."""
    return _REPOSITORY.fullmatch(source) is not None and ".." not in source


def hub_entry(repository: str, endpoint: str | None = None) -> Entry:
    """What to pull of a base at the hub: configurations, and half-precision weights if any.

    Raises CannotFetch, or NotRecognised for a repository in another layout.
    """
    from huggingface_hub import HfApi

    with explained(repository):
        info = HfApi(endpoint=endpoint).model_info(repository)
    names = [sibling.rfilename for sibling in info.siblings or ()]
    wanted = [name for name in names if fnmatch(name, "scheduler/*") or name in _SMALL]
    for part, stem in _WEIGHTS.items():
        found = [f"{part}/{stem}{ending}" for ending in (".fp16.safetensors", ".safetensors")]
        wanted += [name for name in found if name in names][:1]
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


_WEIGHTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
    "text_encoder_2": "model",
}
_SMALL = {"model_index.json"} | {
    f"{part}/{name}"
    for part in ("tokenizer", "tokenizer_2")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
}


def _described(folder: Path, name: str, source: str, kind: str, *, hub: bool = False) -> Own:
    from acetate.pipelines.diffusers_folder import weights_in

    if kind:
        raise CannotImport("A base follows no control image, so it has no --kind.")
    said = str(read_config(folder / "model_index.json").get("_class_name"))
    if said == "FluxPipeline":
        return _described_flux(folder, name, source, hub=hub)
    weights = weights_in(folder / "unet") if (folder / "unet").is_dir() else None
    if weights is None or said not in _KINDS:
        raise NotRecognised(
            f"{folder} holds a {said}, which Acetate cannot paint with: "
            "it needs Stable Diffusion 1.5, SDXL or Flux."
        )
    families = recognise_denoiser(weights)
    if _KINDS[said] not in families:
        raise NotRecognised(
            f"{folder} says that it is {_KINDS[said]}, "
            f"but its denoiser is of {' or '.join(families)}."
        )
    config = read_config(folder / "unet" / "config.json")
    try:
        native = int(config["sample_size"]) * 8
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(folder / "unet" / "config.json") from error
    return Own(
        name.removesuffix(".safetensors"),
        "base",
        (_KINDS[said],),
        model_hash([weights]),
        source,
        form="hub" if hub else "folder",
        native=native,
    )


def _described_flux(folder: Path, name: str, source: str, *, hub: bool) -> Own:
    from acetate.pipelines.flux_components import FluxBase

    config = folder / "vae" / "config.json"
    kind = read_config(folder / "transformer" / "config.json").get("_class_name")
    if kind != "FluxTransformer2DModel":
        raise NotRecognised(f"{folder} says that it is Flux, but its denoiser is a {kind}.")
    try:
        native = int(read_config(config)["sample_size"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(config) from error
    return Own(
        name.removesuffix(".safetensors"),
        "base",
        ("flux",),
        model_hash(FluxBase(folder).weights),
        source,
        form="hub" if hub else "folder",
        native=native,
    )
