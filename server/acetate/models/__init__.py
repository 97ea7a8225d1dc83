"""Which models there are: catalog, families and files. Knows no pipeline."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acetate.pipelines.loading import load_folder, load_pipeline

__all__ = ["load_folder", "load_pipeline"]


def __getattr__(name: str) -> Any:
    """`load_pipeline` and `load_folder` under their name of 0.1, for scripts."""
    if name in __all__:
        return getattr(import_module("acetate.pipelines.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
