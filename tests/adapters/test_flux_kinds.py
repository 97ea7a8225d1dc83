"""Styles for Flux of each kind that a U-Net's may be, under diffusers' and the authors' names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from acetate.adapters import PatchMismatch
from acetate.adapters.flux_styles import flux_style
from acetate.adapters.lora import StylePatch, read_style
from acetate.adapters.style_fit import style_fits
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_flux import tiny_transformer

WIDE = 32
State = dict[str, Tensor]
DOUBLE, SINGLE = "transformer_blocks.0", "single_transformer_blocks.0"
QKV = [f"{DOUBLE}.attn.{name}" for name in ("to_q", "to_k", "to_v")]
LINEAR1 = [*(f"{SINGLE}.attn.{name}" for name in ("to_q", "to_k", "to_v")), f"{SINGLE}.proj_mlp"]
PLACES = {
    "double_blocks.0.img_attn.qkv": QKV,
    "single_blocks.0.linear1": LINEAR1,
    "double_blocks.0.txt_mlp.2": [f"{DOUBLE}.ff_context.net.2"],
    "single_blocks.0.modulation.lin": [f"{SINGLE}.norm.linear"],
}
"""By the authors' name of a module, what diffusers calls its rows, from above."""
WAYS: dict[str, Callable[[str], str]] = {
    "kohya": lambda module: f"lora_unet_{module.replace('.', '_')}",
    "LyCORIS": lambda module: f"lycoris_{module.replace('.', '_')}",
    "ComfyUI": lambda module: f"diffusion_model.{module}",
    "bare": lambda module: module,
}


def numbers(*sides: int) -> Tensor:
    return torch.randn(sides) * 0.2


def drawn(kind: str, rows: int, columns: int) -> tuple[State, Callable[[Tensor], Tensor]]:
    """Tensors of a change by their part, and what they make of a weight, told by definition."""
    up, down = numbers(rows, 2), numbers(2, columns)
    if kind == "LoHa":
        more, less = numbers(rows, 2), numbers(2, columns)
        parts = {"hada_w1_a": up, "hada_w1_b": down, "hada_w2_a": more, "hada_w2_b": less}
        return parts, lambda weight: weight + (up @ down) * (more @ less)
    if kind == "LoKr":
        small, large = numbers(4, 4), numbers(rows // 4, columns // 4)
        return {
            "lokr_w1": small,
            "lokr_w2": large,
        }, lambda weight: weight + torch.kron(small, large)
    if kind == "difference":
        whole = numbers(rows, columns)
        return {"diff": whole}, lambda weight: weight + whole
    lengths = torch.rand(rows, 1) + 0.5
    parts = {"lora_down.weight": down, "lora_up.weight": up, "dora_scale": lengths}

    def decomposed(weight: Tensor) -> Tensor:
        changed = weight + up @ down
        return changed * lengths / changed.norm(dim=1, keepdim=True)

    return parts, decomposed


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["LoHa", "LoKr", "DoRA", "difference"])
def test_it_is_fused_as_the_authors_keep_their_matrices(kind: str, way: str) -> None:
    torch.manual_seed(1)
    transformer = tiny_transformer()
    before = snapshot(transformer)
    file: State = {}
    expected: State = {}
    for module, places in PLACES.items():
        weights = [transformer.get_parameter(f"{place}.weight").detach() for place in places]
        joined = torch.cat(weights)
        parts, changed = drawn(kind, *joined.shape)
        file |= {f"{WAYS[way](module)}.{part}": tensor for part, tensor in parts.items()}
        split = changed(joined).split([len(weight) for weight in weights])
        expected |= dict(zip(places, split, strict=True))
    networks = {"transformer": transformer}
    style = StylePatch.read(flux_style(file, "ink"), networks, 1.0, "ink")
    style.inject(networks)
    for place, weight in expected.items():
        found = transformer.get_parameter(f"{place}.weight")
        assert torch.allclose(found, weight, atol=1e-5), place
    style.eject()
    assert_untouched(transformer, before)


@pytest.mark.parametrize("kind", ["LoHa", "LoKr", "DoRA", "difference"])
def test_names_of_diffusers_need_no_joining(kind: str) -> None:
    torch.manual_seed(2)
    transformer = tiny_transformer()
    weight = transformer.get_parameter(f"{QKV[1]}.weight").detach().clone()
    parts, changed = drawn(kind, *weight.shape)
    file = {f"transformer.{QKV[1]}.{part}": tensor for part, tensor in parts.items()}
    networks = {"transformer": transformer}
    style = StylePatch.read(flux_style(file, "ink"), networks, 1.0, "ink")
    style.inject(networks)
    found = transformer.get_parameter(f"{QKV[1]}.weight")
    assert torch.allclose(found, changed(weight), atol=1e-5)


def test_the_last_norm_has_its_halves_the_other_way_round() -> None:
    transformer = tiny_transformer()
    weight = transformer.get_parameter("norm_out.linear.weight").detach().clone()
    whole = numbers(*weight.shape)
    file = {"diffusion_model.final_layer.adaLN_modulation.1.diff": whole}
    networks = {"transformer": transformer}
    style = StylePatch.read(flux_style(file, "ink"), networks, 1.0, "ink")
    style.inject(networks)
    swapped = torch.cat(whole.chunk(2)[::-1])
    found = transformer.get_parameter("norm_out.linear.weight")
    assert torch.allclose(found, weight + swapped, atol=1e-6)


def test_biases_of_joined_matrices_are_parted_too() -> None:
    transformer = tiny_transformer()
    biases = [transformer.get_parameter(f"{place}.bias").detach().clone() for place in LINEAR1]
    whole = numbers(sum(map(len, biases)))
    file = {"lora_unet_single_blocks_0_linear1.diff_b": whole}
    networks = {"transformer": transformer}
    StylePatch.read(flux_style(file, "ink"), networks, 1.0, "ink").inject(networks)
    found = [transformer.get_parameter(f"{place}.bias") for place in LINEAR1]
    assert torch.allclose(torch.cat(found), torch.cat(biases) + whole, atol=1e-6)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            {
                "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": numbers(2, WIDE),
                "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight": numbers(3 * WIDE, 2),
                "lora_unet_double_blocks_0_img_attn_qkv.dora_scale": torch.ones(1, WIDE),
            },
            "lengths of columns",
        ),
        ({"lora_unet_double_blocks_0_nowhere.diff": numbers(4, 4)}, "no weight for its tensor"),
        (
            {
                "lora_unet_double_blocks_0_img_mlp_0.diff": numbers(4 * WIDE, WIDE),
                "transformer.transformer_blocks.0.ff.net.0.proj.diff": numbers(4 * WIDE, WIDE),
            },
            "changes one weight twice",
        ),
    ],
)
def test_what_cannot_be_fused_is_refused_at_import_and_when_painting(
    tmp_path: Path, file: State, words: str
) -> None:
    with pytest.raises(PatchMismatch, match=words):
        read_style(flux_style(file), {"transformer": tiny_transformer()}, "ink")
    save_file(file, tmp_path / "ink.safetensors")
    with pytest.raises(PatchMismatch, match=words):
        style_fits(tmp_path / "ink.safetensors", ("flux",), {}, "ink")


def test_a_matrix_of_another_width_is_refused() -> None:
    file = {"lora_unet_double_blocks_0_img_attn_qkv.diff": numbers(3 * WIDE + 1, WIDE)}
    with pytest.raises(PatchMismatch, match="does not fit this model"):
        read_style(flux_style(file), {"transformer": tiny_transformer()}, "ink")


AI_TOOLKIT: dict[str, Callable[[str, int, int], State]] = {
    "LoRA": lambda name, rows, columns: {
        f"transformer.{name}.lora_A.weight": numbers(2, columns),
        f"transformer.{name}.lora_B.weight": numbers(rows, 2),
    },
    "LoKr": lambda name, rows, columns: {
        f"transformer.{name}.lokr_w1": numbers(4, 4),
        f"transformer.{name}.lokr_w2": numbers(rows // 4, columns // 4),
        f"transformer.{name}.alpha": torch.tensor(1.0),
    },
}
"""What that trainer writes for Flux: names of diffusers behind `transformer.`, of both kinds."""


@pytest.mark.parametrize("kind", AI_TOOLKIT)
def test_what_ai_toolkit_writes_is_fused(kind: str) -> None:
    transformer = tiny_transformer()
    before = snapshot(transformer)
    file: State = {}
    for place in (*QKV, *LINEAR1, f"{DOUBLE}.ff.net.2"):
        rows, columns = transformer.get_parameter(f"{place}.weight").shape
        file |= AI_TOOLKIT[kind](place, rows, columns)
    found = read_style(flux_style(file, "ink"), {"transformer": transformer}, "ink")
    assert len(found["transformer"]) == len(QKV) + len(LINEAR1) + 1
    networks = {"transformer": transformer}
    style = StylePatch.read(flux_style(file, "ink"), networks, 0.7, "ink")
    style.inject(networks)
    for name, change in found["transformer"].items():
        own = before.weights[name]
        assert torch.allclose(transformer.get_parameter(name), change.merged(own, 0.7), atol=1e-6)
    style.eject()
    assert_untouched(transformer, before)
