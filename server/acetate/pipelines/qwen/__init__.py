"""Qwen-Image and Qwen-Image-Edit: words, pictures to look at, and transparency by an adapter.

Written after diffusers 0.42.1 (`QwenImagePipeline`, `QwenImageEditPlusPipeline` and their models);
the published files have not been run here.
"""
