"""Which models there are, and how their files become a pipeline on a device."""

from __future__ import annotations

from acetate.models.loading import load_folder, load_pipeline

__all__ = ["load_folder", "load_pipeline"]
