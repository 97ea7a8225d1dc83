"""The model that ships with Acetate: its id, and where it lies."""

from __future__ import annotations

from pathlib import Path

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).parents[1] / "embedded" / "model"
