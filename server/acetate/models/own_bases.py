"""An earlier name of what takes others' models in, for scripts that import it here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acetate.model_import.importing import hub_entry, import_any, is_repository

__all__ = ["hub_entry", "import_any", "is_repository"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("acetate.model_import.importing"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
