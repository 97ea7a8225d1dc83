"""Qwen-Image-2.1: an autoencoder that knows transparency, and a denoiser that looks at pictures.

Written after diffusers 0.42.1 (`QwenImage21Pipeline` and its models); the published files have not
been run here.
"""
