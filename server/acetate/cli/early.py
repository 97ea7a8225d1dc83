"""What can be refused before torch is loaded, which takes seconds: names that nobody knows."""

from __future__ import annotations

import sys
from pathlib import Path

from acetate.cli.request import Order
from acetate.errors import AcetateError, BadRequest, DeviceMissing
from acetate.models.catalog import Entry
from acetate.models.device_names import check_name
from acetate.models.families import FAMILIES

_NVIDIA, _AMD, _WINDOWS_BELOW = Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg")


def check_without_torch(order: Order) -> None:
    """Raise AcetateError for a model, mode, scheduler, style or device that cannot be."""
    check_device(order.device)
    if order.server and Path(order.model).is_dir():
        raise BadRequest("A server paints with models that it knows: import the folder there.")
    folder = Path(order.model)
    if folder.is_dir() and not (folder / "model_index.json").is_file():
        raise BadRequest(
            f"There is no model in the folder {folder}: it has no model_index.json.",
            "`acetate models import` takes checkpoints over.",
        )
    entry = None if folder.is_dir() else _entry(order)
    family = entry.family if entry is not None else _family_in(Path(order.model))
    if family not in FAMILIES:
        return  # Loading says what is wrong with the folder.
    modes = entry.modes if entry is not None else FAMILIES[family].modes
    able = order.recipe.mode in modes or (entry is None and FAMILIES[family].can(order.recipe.mode))
    if not able:
        raise BadRequest(
            f"The model “{order.model}” cannot do the mode “{order.recipe.mode}”: "
            f"it does {', '.join(modes)}.",
            _cure(order.recipe.mode),
        )
    FAMILIES[family].check_scheduler(order.recipe.scheduler)
    FAMILIES[family].check_cache(order.recipe.cache)
    if not order.server:
        _check_styles(list(order.recipe.styles))


def check_device(name: str) -> None:
    """Raise BadRequest for what names no device, DeviceMissing for one that cannot be here."""
    check_name(name)
    kind = name.partition(":")[0]
    here = {"mps": sys.platform == "darwin", "cuda": _may_have_cuda()}
    if not here.get(kind, True):
        raise DeviceMissing(
            f"This machine cannot paint on “{name}”: it has no such device.",
            "`acetate doctor` says what it has.",
        )


def _cure(mode: str) -> str:
    """Which models of the catalog can do a mode; nothing where none can."""
    from acetate.models.catalog import catalog

    able = [entry.id for entry in catalog().values() if mode in entry.modes]
    return f"Name one that can with --model: {', '.join(able)}." if able else ""


def _may_have_cuda() -> bool:
    """Whether a card of NVIDIA or AMD, which torch calls cuda too, may be reached from here."""
    if sys.platform == "darwin":
        return False
    if not sys.platform.startswith("linux"):
        return True
    return any(device.exists() for device in (_NVIDIA, _AMD, _WINDOWS_BELOW))


def _entry(order: Order) -> Entry:
    from acetate.models.registry import model_named

    try:
        return model_named(order.model)
    except BadRequest as error:
        if order.recipe.model_hash:
            raise BadRequest(
                f"The picture was painted with the model “{order.model}”, which is not here.",
                "Name where it is with --model.",
            ) from error
        raise


def _family_in(folder: Path) -> str:
    """The family of a model in a folder; empty where the folder does not say."""
    from acetate.models.files import read_config
    from acetate.models.folder_kinds import family_painted

    try:
        return family_painted(str(read_config(folder / "model_index.json").get("_class_name")))
    except AcetateError:
        return ""


def _check_styles(names: list[str]) -> None:
    if not names:
        return
    from acetate.models.own_register import own_named

    for name in names:
        own_named(name, "style")
