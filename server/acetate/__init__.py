"""Paints transparent image layers with diffusion models."""

__version__ = "0.2.0"
