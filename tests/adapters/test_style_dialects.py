"""Every dialect of a style means the same numbers."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

from acetate.adapters.lora import StylePatch, read_style
from acetate.adapters.patch import PatchMismatch
from tests.support.original_layout import tiny_denoiser

Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
LDM = "input_blocks.4.1.transformer_blocks.0.attn1.to_q"
CONV = "up_blocks.0.resnets.0.conv1"


@pytest.fixture(scope="module")
def networks() -> dict[str, nn.Module]:
    return {"unet": tiny_denoiser("sd15")}


def numbers(*sides: int) -> Tensor:
    return torch.randn(sides, generator=torch.Generator().manual_seed(sum(sides)))


UP, DOWN = numbers(64, 2), numbers(2, 64)


def delta(
    file: dict[str, Tensor], networks: dict[str, nn.Module], header: dict[str, str] | None = None
) -> Tensor:
    found = read_style(file, networks, "ink", header)["unet"]
    (name,) = found
    return found[name].delta(networks["unet"].get_parameter(name))


@pytest.mark.parametrize(
    "module",
    [
        f"unet.{Q}",
        Q,
        f"base_model.model.{Q}",
        f"unet.base_model.model.{Q}",
        f"diffusion_model.{LDM}",
        f"model.diffusion_model.{LDM}",
        f"lora_unet_{Q.replace('.', '_')}",
        f"lora_unet_{LDM.replace('.', '_')}",
        f"lycoris_{Q.replace('.', '_')}",
    ],
)
def test_every_name_of_a_module_is_known(module: str, networks: dict[str, nn.Module]) -> None:
    file = {f"{module}.lora_A.weight": DOWN, f"{module}.lora_B.weight": UP}
    assert torch.allclose(delta(file, networks), UP @ DOWN, atol=1e-5)


AI_TOOLKIT = {
    "input_blocks_0_0": "conv_in",
    "input_blocks_1_0_in_layers_2": "down_blocks.0.resnets.0.conv1",
    "input_blocks_1_0_emb_layers_1": "down_blocks.0.resnets.0.time_emb_proj",
    "input_blocks_3_0_op": "down_blocks.0.downsamplers.0.conv",
    "input_blocks_4_0_skip_connection": "down_blocks.1.resnets.0.conv_shortcut",
    "input_blocks_4_1_proj_in": "down_blocks.1.attentions.0.proj_in",
    "input_blocks_4_1_transformer_blocks_0_attn2_to_out_0": (
        "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_out.0"
    ),
    "middle_block_0_out_layers_3": "mid_block.resnets.0.conv2",
    "middle_block_1_transformer_blocks_0_ff_net_2": (
        "mid_block.attentions.0.transformer_blocks.0.ff.net.2"
    ),
    "output_blocks_0_1_transformer_blocks_0_ff_net_0_proj": (
        "up_blocks.0.attentions.0.transformer_blocks.0.ff.net.0.proj"
    ),
    "output_blocks_2_2_conv": "up_blocks.0.upsamplers.0.conv",
    "time_embed_0": "time_embedding.linear_1",
    "label_emb_0_2": "add_embedding.linear_2",
    "out_2": "conv_out",
}
"""How ai-toolkit writes a style of SDXL: kohya's words around the names of the first code."""


def test_a_style_of_sdxl_from_ai_toolkit() -> None:
    unet = tiny_denoiser("sdxl")
    file: dict[str, Tensor] = {}
    expected: dict[str, Tensor] = {}
    for named, own in AI_TOOLKIT.items():
        weight = unet.get_parameter(f"{own}.weight")
        up, down = numbers(len(weight), 2), numbers(2, *weight.shape[1:])
        sides = (1,) * (weight.ndim - 2)
        file[f"lora_unet_{named}.lora_up.weight"] = up.reshape(*up.shape, *sides)
        file[f"lora_unet_{named}.lora_down.weight"] = down
        file[f"lora_unet_{named}.alpha"] = torch.tensor(1.0)
        expected[f"{own}.weight"] = (up @ down.flatten(1)).reshape(weight.shape) / 2
    found = read_style(file, {"unet": unet}, "ink")["unet"]
    assert found.keys() == expected.keys()
    for name, change in found.items():
        made = change.delta(unet.get_parameter(name))
        assert torch.allclose(made, expected[name], atol=1e-5), name


@pytest.mark.parametrize(
    ("told", "scale"),
    [
        ({"unet.r": 2, "unet.lora_alpha": 1}, 0.5),
        ({"r": 2, "lora_alpha": 6}, 3.0),
        ({"unet": {"r": 2, "lora_alpha": 1}}, 0.5),
        ({"unet.r": 8, "unet.lora_alpha": 4, "unet.rank_pattern": {"attn1.to_q": 2}}, 2.0),
        ({"unet.r": 2, "unet.lora_alpha": 4, "unet.alpha_pattern": {"attn1.to_q": 1}}, 0.5),
        ({"unet.r": 2, "unet.lora_alpha": 4, "unet.alpha_pattern": {"to_k": 1}}, 2.0),
        ({"unet.lora_alpha": 2, "unet.use_rslora": True}, 2**0.5),
        ({"text_encoder.lora_alpha": 8}, 1.0),
    ],
)
def test_the_header_tells_the_strength(
    told: dict[str, object], scale: float, networks: dict[str, nn.Module]
) -> None:
    file = {f"unet.{Q}.lora_A.weight": DOWN, f"unet.{Q}.lora_B.weight": UP}
    header = {"lora_adapter_metadata": json.dumps(told)}
    assert torch.allclose(delta(file, networks, header), scale * UP @ DOWN, atol=1e-5)


def test_a_style_may_have_a_name_within_its_file(networks: dict[str, nn.Module]) -> None:
    file = {f"unet.{Q}.lora_A.my-ink.weight": DOWN, f"unet.{Q}.lora_B.my-ink.weight": UP}
    assert torch.allclose(delta(file, networks), UP @ DOWN, atol=1e-5)
    two = file | {f"unet.{Q}.lora_A.other.weight": DOWN, f"unet.{Q}.lora_B.other.weight": UP}
    with pytest.raises(PatchMismatch, match="several styles in one file"):
        delta(two, networks)


def test_a_hadamard_product(networks: dict[str, nn.Module]) -> None:
    file = {
        f"unet.{Q}.hada_w1_a": UP, f"unet.{Q}.hada_w1_b": DOWN,
        f"unet.{Q}.hada_w2_a": UP + 1, f"unet.{Q}.hada_w2_b": DOWN,
        f"unet.{Q}.alpha": torch.tensor(1.0),
    }  # fmt: skip
    expected = 0.5 * (UP @ DOWN) * ((UP + 1) @ DOWN)
    assert torch.allclose(delta(file, networks), expected, atol=1e-4)


def test_a_kronecker_product(networks: dict[str, nn.Module]) -> None:
    first, second = numbers(4, 4), numbers(16, 16)
    whole = {f"unet.{Q}.lokr_w1": first, f"unet.{Q}.lokr_w2": second}
    # Alpha says nothing of factors that are whole.
    whole[f"unet.{Q}.alpha"] = torch.tensor(99.0)
    assert torch.allclose(delta(whole, networks), torch.kron(first, second), atol=1e-5)


def test_a_kernel_between_two_thin_matrices(networks: dict[str, nn.Module]) -> None:
    weight = networks["unet"].get_parameter(f"{CONV}.weight")
    up, middle, down = numbers(weight.shape[0], 2), numbers(2, 2, 3, 3), numbers(2, weight.shape[1])
    file = {
        f"unet.{CONV}.lora_up.weight": up[..., None, None],
        f"unet.{CONV}.lora_mid.weight": middle,
        f"unet.{CONV}.lora_down.weight": down[..., None, None],
    }
    expected = torch.einsum("oi,ijhw,jc->ochw", up, middle, down)
    assert torch.allclose(delta(file, networks), expected, atol=1e-4)


def test_learned_lengths(networks: dict[str, nn.Module]) -> None:
    weight = networks["unet"].get_parameter(f"{Q}.weight").detach()
    length = numbers(64, 1).abs() + 1
    file = {
        f"unet.{Q}.lora_A.weight": DOWN, f"unet.{Q}.lora_B.weight": UP,
        f"unet.{Q}.dora_scale": length,
    }  # fmt: skip
    whole = weight + UP @ DOWN
    expected = length * whole / whole.norm(dim=1, keepdim=True) - weight
    assert torch.allclose(delta(file, networks), expected, atol=1e-5)


def test_a_full_difference_of_weight_and_bias(networks: dict[str, nn.Module]) -> None:
    shapes = {kind: networks["unet"].get_parameter(f"{CONV}.{kind}") for kind in ("weight", "bias")}
    file = {
        f"unet.{CONV}.diff": torch.ones_like(shapes["weight"]),
        f"unet.{CONV}.diff_b": torch.ones_like(shapes["bias"]),
    }
    style = StylePatch.read(file, networks, 2.0, "ink")
    before = {kind: tensor.detach().clone() for kind, tensor in shapes.items()}
    style.inject(networks)
    for kind, old in before.items():
        assert torch.allclose(networks["unet"].get_parameter(f"{CONV}.{kind}"), old + 2)
    style.eject()
    for kind, old in before.items():
        assert torch.equal(networks["unet"].get_parameter(f"{CONV}.{kind}"), old)


def test_what_is_packed_along_is_left_out(networks: dict[str, nn.Module]) -> None:
    file = {
        f"unet.{Q}.lora_A.weight": DOWN, f"unet.{Q}.lora_B.weight": UP,
        "bundle_emb.word.string_to_param.*": numbers(2, 48),
    }  # fmt: skip
    assert torch.allclose(delta(file, networks), UP @ DOWN, atol=1e-5)
