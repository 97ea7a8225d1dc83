from __future__ import annotations

import pytest

from acetate.models.identify import Kind, NotRecognised, Shapes, recognise

ATTENTION = "transformer_blocks.0.attn2"
KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
AI_TOOLKIT = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
UNET = "model.diffusion_model.input_blocks"

FILES: dict[str, tuple[Shapes, Kind]] = {
    "checkpoint of SD 1.5": (
        {f"{UNET}.0.0.weight": (320, 4, 3, 3), f"{UNET}.1.1.{ATTENTION}.to_k.weight": (320, 768)},
        Kind("base", ("sd15",)),
    ),
    "checkpoint of SDXL": (
        {f"{UNET}.0.0.weight": (320, 4, 3, 3), f"{UNET}.4.1.{ATTENTION}.to_k.weight": (640, 2048)},
        Kind("base", ("sdxl",)),
    ),
    "checkpoint of Flux": (
        {"model.diffusion_model.double_blocks.0.img_attn.qkv.weight": (9216, 3072)},
        Kind("base", ("flux",)),
    ),
    "style from diffusers": (
        {
            f"unet.down_blocks.1.attentions.0.{ATTENTION}.to_k.lora_A.weight": (16, 2048),
            f"unet.down_blocks.1.attentions.0.{ATTENTION}.to_k.lora_B.weight": (640, 16),
        },
        Kind("style", ("sdxl",)),
    ),
    "style from kohya": (
        {f"{KOHYA}.lora_down.weight": (8, 768), f"{KOHYA}.lora_up.weight": (320, 8)},
        Kind("style", ("sd15",)),
    ),
    "style of SDXL from ai-toolkit": (
        {
            f"{AI_TOOLKIT}.lora_down.weight": (8, 2048),
            f"{AI_TOOLKIT}.lora_up.weight": (640, 8),
            f"{AI_TOOLKIT}.alpha": (),
        },
        Kind("style", ("sdxl",)),
    ),
    "style of Flux": (
        {"transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": (16, 3072)},
        Kind("style", ("flux",)),
    ),
    "control network": (
        {
            "controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3),
            f"down_blocks.0.attentions.0.{ATTENTION}.to_k.weight": (320, 768),
        },
        Kind("control", ("sd15",)),
    ),
    "union control network": (
        {
            "task_embedding": (8, 320),
            "controlnet_cond_embedding.conv_in.weight": (48, 3, 3, 3),
            f"down_blocks.1.attentions.0.{ATTENTION}.to_k.weight": (640, 2048),
        },
        Kind("control", ("sdxl",)),
    ),
    "patch of SDXL": (
        {
            "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight::lora::0": (
                640,
                256,
            )
        },
        Kind("patch", ("sdxl",)),
    ),
    "multiplied-out patch of the authors": (
        {f"down_blocks.1.attentions.0.{ATTENTION}.to_k.weight": (640, 2048)},
        Kind("patch", ("sdxl",)),
    ),
    "autoencoder": (
        {"decoder.up.0.block.0.norm1.weight": (128,), "decoder.conv_in.weight": (512, 4, 3, 3)},
        Kind("autoencoder", ("sd15", "sdxl")),
    ),
    "learned word": ({"emb_params": (8, 768)}, Kind("words", ("sd15",))),
    "LoHa": (
        {
            f"{KOHYA}.hada_w1_a": (320, 8),
            f"{KOHYA}.hada_w1_b": (8, 768),
        },
        Kind("style", ("sd15",)),
    ),
    "patch of SD 1.5": (
        {"hookers.layers.0.to_q_lora.0.down.weight": (256, 320)},
        Kind("patch", ("sd15",)),
    ),
    "encoder": (
        {f"blocks.{index}.weight": (4, 4, 3, 3) for index in range(0, 17, 2)},
        Kind("encoder", ("sd15", "sdxl")),
    ),
    "encoder of Flux": (
        {f"blocks.{index}.weight": (16, 4, 3, 3) for index in range(0, 17, 2)},
        Kind("encoder", ("flux",)),
    ),
    "decoder": ({"latent_conv_in.weight": (64, 4, 1, 1)}, Kind("decoder", ("sd15", "sdxl"))),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_told_apart_by_their_tensors(name: str) -> None:
    shapes, kind = FILES[name]
    assert recognise(shapes, "file.safetensors") == kind


def test_our_own_networks_are_recognised() -> None:
    from acetate.latent_transparency import OffsetEncoder, TransparentDecoder

    encoder, decoder = (
        {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        for module in (OffsetEncoder(), TransparentDecoder(latent_channels=16))
    )
    assert recognise(encoder, "e") == Kind("encoder", ("sd15", "sdxl"))
    assert recognise(decoder, "d") == Kind("decoder", ("flux",))


def test_another_family_is_explained() -> None:
    shapes = {
        f"{UNET}.0.0.weight": (320, 4, 3, 3),
        f"{UNET}.1.1.{ATTENTION}.to_k.weight": (320, 1024),
    }
    with pytest.raises(NotRecognised, match="Stable Diffusion 2, a family of models that Acet"):
        recognise(shapes, "sd21.safetensors")


def test_anything_else_is_refused() -> None:
    with pytest.raises(NotRecognised, match=r"words\.safetensors is neither"):
        recognise({"embedding.weight": (10, 10)}, "words.safetensors")


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"lora_controlnet": (1,), "input_hint_block.0.weight": (16, 3, 3, 3)}, "control-LoRA"),
        ({"control_add_embedding.linear_1.weight": (1280, 1536)}, "union"),
        ({"adapter.body.0.block1.weight": (320, 320, 3, 3)}, "T2I adapter"),
        ({"image_proj.proj.weight": (8192, 1024), "ip_adapter.1.to_k_ip.weight": (1,)}, "IP-Adap"),
        ({"joint_blocks.0.context_block.attn.qkv.weight": (4608, 1536)}, "Stable Diffusion 3"),
        (
            {
                f"{UNET}.0.0.weight": (384, 4, 3, 3),
                f"{UNET}.4.1.{ATTENTION}.to_k.weight": (768, 1280),
            },
            "refiner of SDXL",
        ),
    ],
)
def test_what_goes_elsewhere_is_called_by_its_name(shapes: Shapes, words: str) -> None:
    with pytest.raises(NotRecognised, match=words):
        recognise(shapes, "file.safetensors")
