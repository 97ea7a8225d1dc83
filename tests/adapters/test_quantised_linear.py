"""Weights in fewer bits: near the full ones, and exact in what patches add to them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from acetate.adapters.lora import StylePatch
from acetate.adapters.patch import PatchMismatch
from acetate.adapters.quantised_linear import Bits, QuantisedLinear, quantise, weights_of
from acetate.adapters.weight_changes import Change, Decomposed, LowRank, Offset
from acetate.adapters.weight_patch import WeightPatch

BITS: tuple[Bits, ...] = ("8", "fp8", "4")
MOST_OFF = {"8": 0.01, "fp8": 0.04, "4": 0.12}
BYTES = {"8": 1.0, "fp8": 1.0, "4": 0.5}


def network(seed: int = 0, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = (nn.Linear(128, 192), nn.GELU(), nn.Linear(192, 64), nn.Linear(64, 3))
    return nn.Sequential(*layers).requires_grad_(False).to(dtype)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_result_stays_near_that_of_full_weights(bits: Bits, dtype: torch.dtype) -> None:
    full = network(dtype=dtype)
    x = torch.randn(5, 128, generator=torch.Generator().manual_seed(1)).to(dtype)
    wanted = full(x).float()
    quantise(full, bits)
    got = full(x)
    assert got.dtype == dtype
    assert float((got.float() - wanted).norm() / wanted.norm()) < MOST_OFF[bits]


@pytest.mark.parametrize("bits", BITS)
def test_weights_take_as_few_bytes_as_promised(bits: Bits) -> None:
    linear = nn.Linear(1024, 512, dtype=torch.bfloat16)
    small = QuantisedLinear(linear, bits)
    held = sum(buffer.nbytes for buffer in small.buffers())
    assert held < linear.weight.numel() * BYTES[bits] * 1.15


@pytest.mark.parametrize("bits", BITS)
def test_moving_the_network_to_another_type_changes_no_stored_bit(bits: Bits) -> None:
    small = QuantisedLinear(nn.Linear(128, 64), bits)
    before = small.get_buffer("packed").clone()
    small.to(torch.float16)
    assert torch.equal(small.get_buffer("packed"), before)
    assert small.weight.dtype == torch.float16


@pytest.mark.parametrize("value", [0.0, 0.25, -3.0])
@pytest.mark.parametrize("bits", BITS)
def test_even_and_empty_weights_come_back(bits: Bits, value: float) -> None:
    linear = nn.Linear(64, 64, bias=False)
    nn.init.constant_(linear.weight, value)
    weight = QuantisedLinear(linear, bits).weight
    assert torch.allclose(weight, torch.full_like(weight, value), rtol=0.01)


def changes() -> dict[str, Change]:
    generator = torch.Generator().manual_seed(3)
    up, down = torch.randn(192, 4, generator=generator), torch.randn(4, 128, generator=generator)
    offset = torch.randn(64, 192, generator=generator) / 10
    pair = LowRank(up, down, 0.5)
    return {
        "0.weight": Decomposed(pair, torch.rand(192, 1, generator=generator) + 0.5),
        "0.bias": Offset(torch.randn(192, generator=generator)),
        "2.weight": Offset(offset),
    }


@pytest.mark.parametrize("bits", BITS)
def test_a_patch_is_exact_beside_a_base_that_cannot_be_written(bits: Bits) -> None:
    small = network()
    quantise(small, bits)
    plain = network()
    for index in (0, 2):
        held = small.get_submodule(str(index))
        assert isinstance(held, QuantisedLinear)
        plain.get_parameter(f"{index}.weight").data = held.unfolded()
    x = torch.randn(5, 128, generator=torch.Generator().manual_seed(1))
    bare = small(x)
    with WeightPatch(changes(), 0.7).inside(small), WeightPatch(changes(), 0.2).inside(small):
        patched = small(x)
    with WeightPatch(changes(), 0.7).inside(plain), WeightPatch(changes(), 0.2).inside(plain):
        assert torch.equal(plain(x), patched)
    assert not torch.equal(bare, patched)
    assert torch.equal(small(x), bare)


def test_a_patch_file_is_checked_against_the_shapes_that_the_weights_had() -> None:
    small = network()
    shapes = {name: weight.shape for name, weight in weights_of(small).items()}
    quantise(small, "4")
    assert {name: weight.shape for name, weight in weights_of(small).items()} == shapes
    patch = WeightPatch.read({"0.weight": torch.ones(192, 128)}, small)
    assert set(patch.changes) == {"0.weight"}
    with pytest.raises(PatchMismatch, match="0.weight"):
        WeightPatch.read({"0.weight": torch.ones(192, 64)}, small)


def test_a_style_goes_into_weights_in_fewer_bits() -> None:
    whole = nn.Module()
    whole.add_module("mid", network())
    quantise(whole, "8")
    file = {
        "lora_unet_mid_0.lora_down.weight": torch.ones(2, 128),
        "lora_unet_mid_0.lora_up.weight": torch.ones(192, 2),
    }
    held = whole.get_submodule("mid.0")
    assert isinstance(held, QuantisedLinear)
    before = held.weight
    patch = StylePatch.read(file, {"unet": whole}, 1.0, "ink")
    patch.inject({"unet": whole})
    assert torch.allclose(held.weight, before + 2)
    patch.eject()
    assert torch.equal(held.weight, before)


def test_small_and_odd_layers_keep_their_numbers() -> None:
    small = network()
    quantise(small, "4")
    assert [type(module).__name__ for module in small] == [
        "QuantisedLinear", "GELU", "QuantisedLinear", "Linear",
    ]  # fmt: skip
