"""Patches of the SDXL and SD 1.5 denoisers against the published code, at tiny sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from acetate.adapters import AttentionSharing, WeightPatch
from acetate.adapters.weight_changes import LowRank, Offset
from acetate.models.unet_names import ldm_names
from tests.parity.reference import (
    TOLERANCE,
    difference,
    golden,
    listing,
    seeded_array,
    seeded_state,
)

XL = golden("tiny_sdxl_outputs")
SHARING = golden("tiny_sd15_attention_sharing_outputs")
EXTRA_CHANNELS = {"transparent_attn": 0, "fg2ble": 4, "fgble2bg": 8}


def denoiser(name: str, tag: str) -> UNet2DConditionModel:
    network = UNet2DConditionModel(**listing(f"{name}_unet_config")).eval().requires_grad_(False)
    network.load_state_dict(seeded_state(listing(f"{name}_unet_shapes"), tag))
    return network


@pytest.fixture(scope="module")
def sdxl() -> UNet2DConditionModel:
    return denoiser("tiny_sdxl", "tinyxl")


@pytest.fixture(scope="module")
def sd15() -> UNet2DConditionModel:
    return denoiser("tiny_sd15", "tiny15")


def xl_input(name: str) -> Tensor:
    return torch.from_numpy(XL[f"in|{name}"])


def paint_xl(network: Any, extra: int) -> Tensor:
    beside = xl_input("concat8")[:, :extra].expand(2, -1, -1, -1)
    added = {"text_embeds": xl_input("pooled"), "time_ids": xl_input("time_ids")}
    x = torch.cat([xl_input("x"), beside], dim=1)
    return network(x, 500, xl_input("ctx"), added_cond_kwargs=added).sample


def published_patch(mode: str) -> dict[str, Tensor]:
    state = seeded_state(listing(f"tiny_xl_{mode}_patch_shapes"), f"patch_{mode}")
    return {key: tensor * (0.3 if "::lora::" in key else 0.2) for key, tensor in state.items()}


@torch.inference_mode()
def test_the_bare_denoiser(sdxl: UNet2DConditionModel) -> None:
    assert difference(paint_xl(sdxl, 0), XL["base"]) < TOLERANCE


@torch.inference_mode()
@pytest.mark.parametrize("name", [name for name in XL if name[-2:] in (".0", ".6")])
def test_a_patched_sdxl_denoiser(sdxl: UNet2DConditionModel, name: str) -> None:
    mode, strength = name.rsplit("_", 1)
    patch = WeightPatch.read(published_patch(mode), sdxl, float(strength))
    assert patch.extra_channels(sdxl) == EXTRA_CHANNELS[mode]
    with patch.inside(sdxl):
        assert difference(paint_xl(sdxl, EXTRA_CHANNELS[mode]), XL[name]) < TOLERANCE


@torch.inference_mode()
@pytest.mark.parametrize("name", ["transparent_attn", "fg2bg"])
def test_shared_attention(sd15: UNet2DConditionModel, name: str) -> None:
    def given(what: str) -> Tensor | None:
        array = SHARING.get(f"{name}|{what}")
        return None if array is None else torch.from_numpy(array)

    state = seeded_state(listing(f"tiny_sd15_{name}_shapes"), f"as_{name}")
    patch = AttentionSharing.read(state, sd15)
    patch.prepare(
        frame_texts=[given(f"overwrite{frame}") for frame in range(patch.frames)],
        control=given("control"),
        unconditional=given("cond_mark"),
    )
    network: Any = sd15
    with patch.inside(sd15):
        painted = network(given("x"), 300, given("context")).sample
    assert difference(painted, SHARING[name]) < TOLERANCE


MERGES = golden("merge_units")


@pytest.mark.parametrize("strength", ["1.0", "0.7", "0.0", "-0.5"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("channels", [4, 8, 12])
def test_an_offset_merged_into_a_weight(channels: int, dtype: str, strength: str) -> None:
    network = torch.nn.ModuleDict({"conv_in": torch.nn.Conv2d(4, 16, 3)})
    base = torch.from_numpy(seeded_array("merge", "conv", [16, 4, 3, 3]))
    network.get_parameter("conv_in.weight").data = base.to(getattr(torch, dtype))
    offset = torch.from_numpy(seeded_array("merge", f"diff{channels}", [16, channels, 3, 3]))
    offset = offset.to(getattr(torch, dtype))
    patch = WeightPatch({"conv_in.weight": Offset(offset)}, float(strength))
    with patch.inside(network):
        merged = network.get_parameter("conv_in.weight").detach().clone()
    assert difference(merged, MERGES[f"diff{channels}_{dtype}_{strength}"]) < TOLERANCE


@pytest.mark.parametrize("strength", ["0.7", "0.0", "-0.5"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_low_rank_pair_merged_into_a_weight(dtype: str, strength: str) -> None:
    base = torch.from_numpy(seeded_array("merge", "w", [48, 40])).to(getattr(torch, dtype))
    # The pair itself is not on record: any that has the recorded product will do.
    product = torch.from_numpy(MERGES["lora_float32_1.0"] - seeded_array("merge", "w", [48, 40]))
    left, scale, right = torch.linalg.svd(product.double())
    pair = LowRank((left[:, :8] * scale[:8]).float(), right[:8].float())
    expected = MERGES[f"lora_{dtype}_{strength}"]
    # Summed in fp32; the record was then rounded to its type, which no tolerance below a half
    # step of that type can see through.
    apart = np.abs(pair.merged(base.float(), float(strength)).numpy() - expected)
    half_step = np.spacing(np.abs(expected)).astype(np.float64) / 2
    assert (apart - half_step).max() < TOLERANCE


@pytest.mark.parametrize("strength", [1.0, 0.7, -0.5])
def test_a_half_precision_merge_is_rounded_once(strength: float) -> None:
    up, down = seeded_array("merge", "up", [48, 8]), seeded_array("merge", "down", [8, 40])
    base = seeded_array("merge", "w", [48, 40])
    up, down, base = (torch.from_numpy(array).half() for array in (up, down, base))
    exact = base.double() + strength * up.double() @ down.double()
    merged = LowRank(up, down).merged(base, strength)
    assert merged.dtype == torch.float16
    # Where fp32 and fp64 fall to different sides of a rounding border, by one step.
    assert (merged != exact.half()).float().mean() < 0.01


@pytest.mark.parametrize("family", ["keymap_xl", "keymap_sd15"])
def test_every_name_of_a_full_size_denoiser(family: str) -> None:
    table = listing(family)
    assert ldm_names(table) == {ldm: name for name, (ldm, _) in table.items()}
