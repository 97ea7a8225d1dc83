"""What a painter can ask for, one file per mode."""

from __future__ import annotations

from acetate.modes.registry import MODES, Mode, mode_named
from acetate.modes.run import run, run_each

__all__ = ["MODES", "Mode", "mode_named", "run", "run_each"]
