from __future__ import annotations

import pytest

from acetate.models.identify import Kind, NotRecognised, Shapes, recognise

ATTENTION = "transformer_blocks.0.attn2"
KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
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
    "patch of SDXL": (
        {
            "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight::lora::0": (
                640,
                256,
            )
        },
        Kind("patch", ("sdxl",)),
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
