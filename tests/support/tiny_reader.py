"""The language model that reads for Qwen-Image and Qwen-Image-Layered, tiny and random."""

from __future__ import annotations

from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration


def tiny_reader(words: int, width: int, **marks: int) -> Qwen2_5_VLForConditionalGeneration:
    """For so many words; `marks` are the numbers of those for pictures, as its settings name them.

    Drawn from torch's own generator.
    """
    text = {
        "hidden_size": width,
        "intermediate_size": width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": words,
        "rope_parameters": {
            "rope_type": "default",
            "mrope_section": [1, 1, 2],
            "rope_theta": 1e6,
        },
    }
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": width,
    }
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **marks)
    return Qwen2_5_VLForConditionalGeneration(config)
