"""FLUX.2 klein: four steps, pictures as references, and transparency by an adapter.

Written after diffusers 0.42.1 (`Flux2KleinPipeline` and its models); the published files have not
been run here.
"""
