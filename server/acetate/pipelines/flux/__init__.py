"""FLUX.1 with LayerDiffuse-Flux."""

from acetate.pipelines.flux.latents import pack, places, unpack
from acetate.pipelines.flux.pipeline import FluxPipeline, read_flux_lora

__all__ = ["FluxPipeline", "pack", "places", "read_flux_lora", "unpack"]
