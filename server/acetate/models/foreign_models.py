"""Weights that Acetate cannot paint with, told by their tensors, and what to take instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

Shapes = Mapping[str, tuple[int, ...]]

_ADAPTERS = {
    r"^lora_controlnet$": "a control-LoRA, of which Acetate cannot make a control network: "
    "take the full control network of the same name",
    r"(^|\.)(task_embedding$|control_add_embedding\.|transformer_layes\.)": "a union control "
    "network, whose kinds share one network: take the network of a single kind",
    r"^controlnet_(x_embedder|mode_embedder|blocks)\.": "a control network for Flux or SD 3, "
    "and Acetate follows control images with SD 1.5 and SDXL only",
    r"^(adapter\.)?body\.\d+\.(block\d|in_conv|resnets|down)": "a T2I adapter of an unusual "
    "shape: take one for SD 1.5 or SDXL, or a control network (ControlNet) of the same kind",
    r"^image_proj\.perceiver_resampler\.|^ip_adapter\.\d+\.to_\w+_lora\.": "an "
    "IP-Adapter for faces (FaceID), which needs a network that knows faces: take a plain "
    "ip-adapter or ip-adapter-plus",
    r"^ip_adapter\.\d+\.norm_added_[kv]\.": "an IP-Adapter for Flux that reads pictures by an "
    "image encoder of another kind (SigLIP): take that of X-Labs (flux-ip-adapter)",
    r"^(latent_image_proj|perceiver_resampler)\.": "an image adapter of another program",
    r"^lllite_": "a ControlNet-LLLite: take the full control network",
    r"motion_modules\.": "a motion module for videos, and Acetate paints single pictures",
    r"^(pulid|id_adapter|id_encoder\.|lora_weights\.)": "an identity adapter of another program",
    r"^redux_(up|down)\.": "FLUX.1 Redux, which paints after a picture: no mode here does",
    r"enc_zero_convs_out\.": "a ControlNet-XS: take the full control network",
    r"^brushnet_": "a BrushNet: to paint into a selection, any base does, best one for in-painting",
    r"(^|\.)position_net\.": "a GLIGEN, which Acetate cannot paint with",
    r"^(320|640|768|1024|1280)\.\d+\.linear": "a hypernetwork, an older style: take a LoRA",
    r"^decoder\.upsamples\.\d+\.": "the autoencoder of Qwen-Image or of Wan, which comes "
    "with their folders of diffusers",
    r"^(encoder|decoder)\.layers\.\d+\.(weight|conv\.)|^3\.conv\.0\.weight$": "a tiny autoencoder "
    "for previews: fetch it with `acetate models pull preview-sd15`, preview-sdxl or preview-flux",
    r"^((model|language_model)\.)*embed_tokens\.weight$": "a language model: what a model of today "
    "reads words with comes in its own folder of diffusers",
    r"^bb\.": "a matting network, which Acetate takes as one .onnx file",
    r"^mask_decoder\.": "a network that marks parts of pictures (Segment Anything)",
    r"^(depth_head|pretrained\.patch_embed)\.": "a network that tells depth, not one that paints",
    r"\.exp_avg(_sq)?$": "the state of a training and not what came of it",
    r"\.(quant_state\.bitsandbytes\w*|qweight|wscales)$": "kept in 4 bits for another program: "
    "take the same model in fp16, bf16 or fp8",
}
"""What goes with a base in other programs, by names of its tensors."""

_MODELS = {
    r"joint_blocks\.\d+\.(context_block|x_block)\.": "Stable Diffusion 3",
    r"^transformer_blocks\.\d+\.norm1_context\.": "Stable Diffusion 3",
    r"(^|\.)encoder_hid_proj\.weight$": "Kolors or DeepFloyd IF, which read another text encoder",
    r"(^|\.)add_embedding\.image_proj\.": "Kandinsky",
    r"(^|\.)(temporal_transformer_blocks|time_stack|time_mixer)\b": "Stable Video (films)",
    r"individual_token_refiner\.|(^|\.)double_blocks\.\d+\.img_attn_qkv\.": "Hunyuan-Video",
    r"(^|\.)patchify_proj\.": "LTX, which paints films",
    r"(^|\.)blocks\.\d+\.adaln_modulation_": "Cosmos",
    r"^(input_x_embedder|time_caption_embed|ref_image_refiner)\.": "OmniGen",
    r"(^|\.)y_embedder\.y_embedding$": "PixArt",
    r"(^|\.)joint_transformer_blocks\.\d+\.": "AuraFlow",
    r"(^|\.)double_stream_blocks\.\d+\.": "HiDream",
    r"distilled_guidance_layer\.": "Chroma",
    r"(^|\.)transformer_blocks\.\d+\.img_mod\.": "Qwen-Image",
    r"(^|\.)transformer_blocks\.\d+\.txt_mlp\.": "Qwen-Image",
    r"(^|\.)(cap_embedder|context_refiner)\.": "Lumina or Z-Image",
    r"(^|\.)adaln_single\.": "PixArt or Sana",
    r"(^|\.)double_layers\.\d+\.": "AuraFlow",
    r"(^|\.)(clip_txt_mapper|clip_mapper)\.": "Stable Cascade",
    r"(^|\.)blocks\.\d+\.cross_attn\.norm_k\.": "Wan, which paints videos",
    r"(^|\.)(style_embedder|mlp_t5)\.": "Hunyuan-DiT",
    r"(^|\.)caption_projection\.": "HiDream or another transformer",
    r"^denoiser\.sigmas$": "Stable Video or another model over its own noise levels",
}
"""Bases of other families, by names of their tensors."""

_STYLES = {
    r"joint_blocks[._]\d+[._](context|x)_block": "Stable Diffusion 3",
    r"(^|[._])transformer_blocks[._]\d+[._](img|txt)_(mod|mlp)[._]": "Qwen-Image",
    r"(^|[._])layers[._]\d+[._](attention|feed_forward)[._]": "Lumina or Z-Image",
    r"(^|[._])blocks[._]\d+[._](self_attn|cross_attn|ffn)[._]": "Wan, which paints films",
    r"double_blocks\.\d+\.img_attn_qkv": "Hunyuan-Video",
    r"prior_unet": "Stable Cascade",
    r"double_stream_blocks[._]": "HiDream",
    r"^((base_model\.model|transformer)\.|lora_unet_)?transformer_blocks[._]\d+[._]attn1": "PixArt",
}
"""Styles for other families, by names of their tensors."""
_STYLE = re.compile(r"lora|lokr|hada|\.diff$")
_SD3_WIDTHS = (1536, 2432)

_UPSCALERS = (
    r"^(params(_ema)?\.)?(model\.0\.weight|conv_first\.weight|RRDB_trunk\.|body\.0\.rdb1\.)"
)
_WIDTHS = {1024: "Stable Diffusion 2", 1280: "the refiner of SDXL", 4096: "a model with T5 words"}
"""Bases with a U-Net, by the width of the words that it reads."""


def foreign_words(shapes: Shapes, widths: Collection[int] = ()) -> str:
    """Words that go on after “FILE is”; empty for what none of the marks fits.

    `widths` are those of the words that its cross attention reads.
    """
    for pattern, words in _ADAPTERS.items():
        if any(re.search(pattern, name) for name in shapes):
            return words
    if any(map(_STYLE.search, shapes)) and (words := _foreign_style(shapes)):
        return words
    if any(re.search(r"double_stream_modulation_img\.", name) for name in shapes):
        return "a FLUX.2 in one file: Acetate takes FLUX.2 klein as a folder of diffusers"
    if not any(map(_STYLE.search, shapes)) and any(
        name.startswith("single_transformer_blocks.0.norm.") for name in shapes
    ):
        return "the denoiser of a Flux without its folder: take the whole folder of diffusers"
    if not any(map(_STYLE.search, shapes)) and any(
        name.endswith("txt_in.text_norm.weight") for name in shapes
    ):
        return "a Qwen-Image-2.1 in one file: Acetate takes it as a folder of diffusers"
    for pattern, model in _MODELS.items():
        if any(re.search(pattern, name) for name in shapes):
            return _other(model)
    for width in sorted(widths):
        if width in _WIDTHS:
            return _of_width(width)
    if any(re.match(_UPSCALERS, name) for name in shapes):
        return "an upscaler of a make that is not known here: with `pip install spandrel` many are"
    if any(name.startswith("vision_model.") for name in shapes) and not any(
        name.endswith("token_embedding.weight") or name == "visual_projection.weight"
        for name in shapes
    ):
        return "an encoder of pictures (CLIP vision), which no model here asks for"
    return ""


def is_flux2_style(shapes: Shapes) -> bool:
    """Whether a style is for FLUX.2, which shares most of its names with FLUX.1."""
    if not any(map(_STYLE.search, shapes)):
        return False
    if any(
        re.search(r"to_qkv_mlp_proj|(single|double)_stream_modulation", name) for name in shapes
    ):
        return True
    for name, shape in shapes.items():
        whole = re.search(
            r"single_blocks[._]\d+[._]linear1\.(.*lora_B|.*lora_up|diff$|hada_w1_a|lokr_w1$)", name
        )
        if whole is None or not shape:
            continue
        rows = shape[0]
        if whole[1] == "lokr_w1":
            other = name.removesuffix("1") + "2"
            rows *= next((shapes[key][0] for key in (other, f"{other}_a") if key in shapes), 1)
        # Between attention and the rest, in one matrix, FLUX.2 has nine parts and FLUX.1 seven.
        if rows % 9 == 0 and rows % 7:
            return True
    return False


def _foreign_style(shapes: Shapes) -> str:
    for pattern, model in _STYLES.items():
        if any(re.search(pattern, name) for name in shapes):
            return _style_for(model)
    for name, shape in shapes.items():
        if re.search(r"(img_in|x_embedder)\W.*(lora_A|down)", name) and shape[-1] == 128:
            return (
                "a style (LoRA) that makes a Flux follow a control image (Canny or Depth), and "
                "Acetate follows those with SD 1.5 and SDXL only"
            )
        added = re.search(r"transformer_blocks[._]\d+[._]attn[._]add_k_proj\W.*(lora_A|down)", name)
        if added and shape[-1] in _SD3_WIDTHS:
            return _style_for("Stable Diffusion 3")
    return ""


def _style_for(model: str) -> str:
    return (
        f"a style (LoRA) for {model}, a family whose styles Acetate cannot fuse: "
        "it takes those for Stable Diffusion 1.5, SDXL and Flux"
    )


def _of_width(width: int) -> str:
    if width == 1280:
        return (
            "the refiner of SDXL, which only finishes what another model began: "
            "take the base model of SDXL"
        )
    return _other(_WIDTHS[width])


def _other(model: str) -> str:
    return (
        f"{'' if model.startswith('the ') else 'for '}{model}, a family of models that Acetate "
        "cannot paint with: it needs Stable Diffusion 1.5, SDXL or Flux"
    )
