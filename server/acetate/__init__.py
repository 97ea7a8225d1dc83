"""Paints transparent image layers with diffusion models."""

from acetate.compiled_code import keep_to_ourselves

__version__ = "0.2.0"

keep_to_ourselves()
