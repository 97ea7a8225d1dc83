"""What others paint with, or train, is called what it is when somebody imports it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from acetate.errors import AcetateError
from acetate.model_import.importing import import_any
from acetate.pipelines.network_loading import META, read_tensors

CONV, LINE = (4, 4, 3, 3), (4, 4)
VAE = {
    "encoder.conv_in.weight": (8, 3, 3, 3),
    "decoder.up.0.block.0.conv1.weight": CONV,
    "decoder.conv_out.weight": (3, 8, 3, 3),
}
FOREIGN: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "sd35": (
        "Stable Diffusion 3",
        {"transformer_blocks.0.norm1_context.linear.weight": LINE, "pos_embed.proj.weight": CONV},
    ),
    "kolors": (
        "Kolors",
        {"conv_in.weight": (8, 4, 3, 3), "encoder_hid_proj.weight": LINE},
    ),
    "pixart": ("PixArt", {"y_embedder.y_embedding": LINE, "t_block.1.weight": LINE}),
    "auraflow": (
        "AuraFlow",
        {
            "joint_transformer_blocks.0.attn.to_q.weight": LINE,
            "single_transformer_blocks.0.attn.to_q.weight": LINE,
        },
    ),
    "hidream": (
        "HiDream",
        {"model.diffusion_model.double_stream_blocks.0.block.attn1.to_q.weight": LINE},
    ),
    "flux2": ("a FLUX.2 in one file", {"double_stream_modulation_img.lin.weight": LINE}),
    "qwen21": ("a Qwen-Image-2.1 in one file", {"txt_in.text_norm.weight": (4,)}),
    "flux-canny": (
        "makes a Flux follow a control image",
        {
            "img_in.lora_A.weight": (4, 128),
            "img_in.lora_B.weight": LINE,
            "double_blocks.0.img_attn.qkv.lora_A.weight": LINE,
        },
    ),
    "nothing": ("a file of weights without any", {}),
    "flux-bare": (
        "the denoiser of a Flux",
        {"single_transformer_blocks.0.norm.linear.weight": LINE},
    ),
    "hunyuan-video": (
        "Hunyuan-Video",
        {
            "double_blocks.0.img_attn.qkv.weight": LINE,
            "txt_in.individual_token_refiner.blocks.0.mlp.fc1.weight": LINE,
        },
    ),
    "motion": ("a motion module", {"down_blocks.0.motion_modules.0.norm.weight": (4,)}),
    "nf4": (
        "kept in 4 bits",
        {
            "double_blocks.0.img_attn.qkv.weight": (8, 1),
            "double_blocks.0.img_attn.qkv.weight.quant_state.bitsandbytes__nf4": (8,),
        },
    ),
    "hyper": ("a hypernetwork", {"768.0.linear.weight": LINE}),
    "redux": ("FLUX.1 Redux", {"redux_up.weight": LINE}),
    "xs": ("a ControlNet-XS", {"enc_zero_convs_out.0.weight": CONV}),
    "vision": ("an encoder of pictures", {"vision_model.embeddings.class_embedding": (4,)}),
    "language": ("a language model", {"model.embed_tokens.weight": LINE}),
    "umt5": ("UMT5", {"shared.weight": (256384, 1)}),
    "tiny": ("a tiny autoencoder", {"decoder.layers.1.weight": CONV}),
    "vae-flux2": ("the autoencoder of FLUX.2", {**VAE, "decoder.conv_in.weight": (4, 32, 3, 3)}),
    "vae-film": (
        "the autoencoder of Qwen-Image",
        {**VAE, "decoder.conv_in.weight": (4, 16, 3, 3, 3)},
    ),
    "vae-rgba": (
        "an autoencoder that knows transparency",
        {
            **VAE,
            "decoder.conv_in.weight": (4, 16, 3, 3),
            "encoder.conv_in.weight": (8, 4, 3, 3),
            "decoder.conv_out.weight": (4, 8, 3, 3),
        },
    ),
    "alpha": (
        "a decoder of alpha",
        {
            "decoder.conv_in.weight": (4, 16, 3, 3),
            "decoder.up_blocks.0.resnets.0.conv1.weight": CONV,
            "decoder.conv_out.weight": (1, 4, 3, 3),
        },
    ),
    "word-sd2": ("a learned word (an embedding) for Stable Diffusion 2", {"emb_params": (2, 1024)}),
    "word-t5": ("a learned word (an embedding) for Flux", {"t5": (2, 4096), "clip_l": (2, 768)}),
    "lora-sd3": (
        "a style (LoRA) for Stable Diffusion 3",
        {"transformer.transformer_blocks.0.attn.add_k_proj.lora_A.weight": (4, 1536)},
    ),
    "lora-qwen": (
        "a style (LoRA) for Qwen-Image",
        {"lora_unet_transformer_blocks_0_img_mod_1.lora_down.weight": (4, 3072)},
    ),
    "lora-wan": (
        "a style (LoRA) for Wan",
        {"diffusion_model.blocks.0.self_attn.q.lora_A.weight": (4, 5120)},
    ),
    "lora-zimage": (
        "a style (LoRA) for Lumina or Z-Image",
        {"diffusion_model.layers.0.attention.to_q.lora_A.weight": (4, 3840)},
    ),
}


@pytest.fixture(autouse=True)
def empty_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_for_others_is_named(tmp_path: Path, name: str) -> None:
    words, shapes = FOREIGN[name]
    path = tmp_path / f"{name}.safetensors"
    save_file({key: torch.zeros(shape) for key, shape in shapes.items()}, path)
    with pytest.raises(AcetateError) as refused:
        import_any(str(path))
    assert words in refused.value.message and refused.value.message.startswith(path.name)


def test_a_hypernetwork_of_the_older_form_is_named(tmp_path: Path) -> None:
    layers = ({"linear.weight": torch.zeros(4, 4)}, {"linear.weight": torch.zeros(4, 4)})
    torch.save({768: layers, "name": "old"}, tmp_path / "old.pt")
    with pytest.raises(AcetateError, match="is a hypernetwork"):
        import_any(str(tmp_path / "old.pt"))


@pytest.mark.parametrize("scale", ["scale_weight", "weight_scale"])
def test_weights_in_8_bits_are_read_with_the_scales_beside_them(tmp_path: Path, scale: str) -> None:
    path = tmp_path / "scaled.safetensors"
    small = torch.tensor([[1.0, 2.0], [-4.0, 0.5]]).to(torch.float8_e4m3fn)
    beside = {f"a.{scale}": torch.tensor(0.25), "scaled_fp8": torch.zeros(2)}
    save_file({"a.weight": small, "b.weight": torch.ones(2), **beside}, path)
    state = read_tensors([path], torch.device("cpu"))
    assert sorted(state) == ["a.weight", "b.weight"]
    assert state["a.weight"].float().tolist() == [[0.25, 0.5], [-1.0, 0.125]]
    assert sorted(read_tensors([path], META)) == ["a.weight", "b.weight"]
