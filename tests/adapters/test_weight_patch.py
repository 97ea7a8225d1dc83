from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from acetate.adapters import PatchMismatch, WeightPatch
from acetate.adapters.transparency_patch_file import read_changes
from acetate.models.unet_names import ldm_names
from tests.adapters.snapshot import assert_untouched, snapshot

PROJECTION = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
LDM_PROJECTION = "diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"


def make_denoiser() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, norm_num_groups=4,
        block_out_channels=(8, 16), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=12,
        attention_head_dim=2,
    ).eval()  # fmt: skip


@pytest.fixture
def denoiser() -> UNet2DConditionModel:
    return make_denoiser()


def published(network: nn.Module, kind: str) -> dict[str, Tensor]:
    """A patch over the whole network in one of the ways in which they are written down."""
    torch.manual_seed(1)
    weights = network.state_dict()
    names = {name: ldm for ldm, name in ldm_names(weights, 1).items()}
    attention = [name for name in weights if ".attn" in name and name.endswith(".weight")]
    file: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if kind == "diff":
            file[f"diffusion_model.{names[name]}::diff::0"] = torch.randn_like(weight)
        elif kind == "wide":
            shape = (8, 12, 3, 3) if name == "conv_in.weight" else weight.shape
            file[f"diffusion_model.{names[name]}::diff::0"] = torch.randn(shape)
        elif kind == "plain":
            file[name] = torch.randn_like(weight)
        elif name in attention:
            up, down = torch.randn(weight.shape[0], 3), torch.randn(3, weight.shape[1])
            if kind == "lora":
                file[f"diffusion_model.{names[name]}::lora::0"] = up
                file[f"diffusion_model.{names[name]}::lora::1"] = down
            elif kind == "swapped":
                file[f"diffusion_model.{names[name]}::lora::0"] = down
                file[f"diffusion_model.{names[name]}::lora::1"] = up
            else:
                module = name.removesuffix(".weight")
                file[f"unet.{module}.lora_A.weight"] = down
                file[f"unet.{module}.lora_B.weight"] = up
    return file


KINDS = ["lora", "swapped", "diff", "wide", "plain", "community"]


def read(network: nn.Module, kind: str, strength: float = 1.0) -> WeightPatch:
    return WeightPatch(read_changes(published(network, kind), network.state_dict(), 1), strength)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_eject_leaves_the_network_as_it_was(
    denoiser: UNet2DConditionModel, kind: str, dtype: torch.dtype
) -> None:
    nn.Module.to(denoiser, dtype)
    before = snapshot(denoiser)
    patch = read(denoiser, kind)
    patch.inject(denoiser)
    assert patch.injected
    changed = sum(
        not torch.equal(parameter, before.weights[name])
        for name, parameter in denoiser.state_dict().items()
        if parameter.shape == before.weights[name].shape
    )
    assert changed >= len(patch.changes) - 1
    patch.eject()
    assert_untouched(denoiser, before)


@pytest.mark.parametrize("kind", KINDS)
def test_strength_zero_is_the_base(denoiser: UNet2DConditionModel, kind: str) -> None:
    before = snapshot(denoiser)
    patch = read(denoiser, kind, strength=0)
    with patch.inside(denoiser):
        assert_untouched(denoiser, before)
        assert patch.extra_channels(denoiser) == 0


def test_all_ways_of_writing_a_product_down_agree(denoiser: UNet2DConditionModel) -> None:
    merged = []
    for kind in ("lora", "swapped", "community"):
        with read(denoiser, kind, 0.5).inside(denoiser):
            merged.append(denoiser.get_parameter(f"{PROJECTION}.weight").detach().clone())
    assert torch.equal(merged[0], merged[1])
    assert torch.equal(merged[0], merged[2])


def test_alpha_scales_a_pair(denoiser: UNet2DConditionModel) -> None:
    base = denoiser.get_parameter(f"{PROJECTION}.weight").detach().clone()
    up, down = torch.randn(16, 4), torch.randn(4, 16)
    file = {
        f"unet.{PROJECTION}.lora.up.weight": up,
        f"unet.{PROJECTION}.lora.down.weight": down,
        f"unet.{PROJECTION}.alpha": torch.tensor(2.0),
    }
    with WeightPatch.read(file, denoiser).inside(denoiser):
        merged = denoiser.get_parameter(f"{PROJECTION}.weight").detach().clone()
    torch.testing.assert_close(merged, base + 0.5 * up @ down)


def test_a_widened_input_keeps_its_first_channels(denoiser: UNet2DConditionModel) -> None:
    base = denoiser.conv_in.weight.detach().clone()
    file = {"diffusion_model.input_blocks.0.0.weight::diff::0": torch.randn(8, 12, 3, 3)}
    offset = next(iter(file.values()))
    patch = WeightPatch.read(file, denoiser, 0.5)
    assert patch.extra_channels(denoiser) == 8
    with patch.inside(denoiser):
        assert patch.extra_channels(denoiser) == 8
        assert denoiser.conv_in.in_channels == 12
        torch.testing.assert_close(denoiser.conv_in.weight[:, :4], base + 0.5 * offset[:, :4])
        torch.testing.assert_close(denoiser.conv_in.weight[:, 4:].detach(), 0.5 * offset[:, 4:])


def test_two_patches_in_sequence_and_one_inside_the_other(
    denoiser: UNet2DConditionModel,
) -> None:
    before = snapshot(denoiser)
    lora, wide = read(denoiser, "lora"), read(denoiser, "wide")
    for patch in (lora, wide, lora):
        with patch.inside(denoiser):
            pass
        assert_untouched(denoiser, before)
    with lora.inside(denoiser), wide.inside(denoiser):
        pass
    assert_untouched(denoiser, before)


def test_an_error_in_the_run_leaves_nothing_behind(denoiser: UNet2DConditionModel) -> None:
    before = snapshot(denoiser)
    with pytest.raises(KeyboardInterrupt), read(denoiser, "wide").inside(denoiser):
        raise KeyboardInterrupt
    assert_untouched(denoiser, before)


def test_an_error_half_way_in_leaves_nothing_behind(
    denoiser: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(denoiser)
    patch = read(denoiser, "diff")
    last: Any = list(patch.changes)[-1]
    patch.changes[last] = patch.changes["conv_in.weight"]  # does not fit there
    with pytest.raises(RuntimeError):
        patch.inject(denoiser)
    assert not patch.injected
    assert_untouched(denoiser, before)


def test_a_patch_cannot_be_in_twice(denoiser: UNet2DConditionModel) -> None:
    patch = read(denoiser, "lora")
    patch.inject(denoiser)
    with pytest.raises(RuntimeError, match="eject it first"):
        patch.inject(denoiser)
    patch.eject()
    patch.eject()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({}, "no tensors"),
        ({"diffusion_model.out.2.weight::diff::0": (4, 9, 3, 3)}, "4 × 9 × 3 × 3.*4 × 8 × 3 × 3"),
        ({"diffusion_model.no.weight::diff::0": (4,)}, "no.weight::diff::0 of the shape 4"),
        ({"diffusion_model.out.2.bias::mystery::0": (4,)}, "mystery"),
        ({"diffusion_model.out.2.bias::diff::1": (4,)}, "diff::1"),
        ({"out.2.bias::diff::0": (4,)}, "out.2.bias::diff::0"),
        ({f"{LDM_PROJECTION}::lora::0": (16, 4)}, "incomplete"),
        ({f"{LDM_PROJECTION}::lora::0": (16, 4), f"{LDM_PROJECTION}::lora::1": (4, 9)}, "16 × 9"),
        ({f"unet.{PROJECTION}.lora_A.weight": (4, 16)}, "incomplete"),
        ({f"unet.{PROJECTION}.lora_A.weight": (4, 16), "strange": (1,)}, "strange"),
        ({"conv_out.bias": (5,)}, "conv_out.bias has the shape 5, the model's conv_out.bias has 4"),
        ({"hookers.layers.0.temporal_i.bias": (4,)}, "hookers.layers.0.temporal_i.bias"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(
    denoiser: UNet2DConditionModel, file: dict[str, tuple[int, ...]], words: str
) -> None:
    tensors = {key: torch.zeros(shape) for key, shape in file.items()}
    with pytest.raises(PatchMismatch, match=words):
        WeightPatch.read(tensors, denoiser)
