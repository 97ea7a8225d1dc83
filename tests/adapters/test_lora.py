from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from acetate.adapters import PatchMismatch, WeightPatch
from acetate.adapters.lora import StylePatch, read_style
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.parity.reference import listing, seeded_state
from tests.support.original_layout import text_config, tiny_denoiser, write_style

pytestmark = pytest.mark.matrix

Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"


def networks(family: str) -> dict[str, nn.Module]:
    from transformers.models.clip.modeling_clip import CLIPTextModel

    torch.manual_seed(0)
    width = 48 if family == "sd15" else 32
    names = ["text_encoder"] if family == "sd15" else ["text_encoder", "text_encoder_2"]
    encoders = {name: CLIPTextModel(text_config(width, "gelu")) for name in names}
    return {"unet": tiny_denoiser(family), **encoders}


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("form", ["kohya", "diffusers"])
def test_a_style_changes_all_its_networks_and_leaves_no_trace(
    family: str, form: str, tmp_path: Path
) -> None:
    file = load_file(write_style(tmp_path / "ink.safetensors", family, form))
    inside = networks(family)
    before = {name: snapshot(network) for name, network in inside.items()}
    original = inside["unet"].get_parameter(f"{Q}.weight").clone()
    style = StylePatch.read(file, inside, 0.5, "ink")
    style.inject(inside)
    keys = [key for key in file if "attn1" in key and "to_q" in key and "alpha" not in key]
    down, up = (file[key] for key in keys)
    # An alpha of 1 over rank 2 in kohya's files; diffusers' have none.
    scale = 0.5 * (0.5 if form == "kohya" else 1)
    expected = original + scale * up @ down
    assert torch.allclose(inside["unet"].get_parameter(f"{Q}.weight"), expected, atol=1e-6)
    for name, network in inside.items():
        state, old = network.state_dict(), before[name].weights
        assert any(not torch.equal(state[key], old[key]) for key in old), name
    style.eject()
    for name, network in inside.items():
        assert_untouched(network, before[name])


def test_a_patch_goes_on_top_of_a_style_and_both_come_off(tmp_path: Path) -> None:
    inside = networks("sdxl")
    before = snapshot(inside["unet"])
    path = write_style(tmp_path / "ink.safetensors", "sdxl", "kohya")
    style = StylePatch.read(load_file(path), inside, 1.0, "ink")
    patch = seeded_state(listing("tiny_xl_transparent_attn_patch_shapes"), "patch")
    lesson = WeightPatch.read(patch, inside["unet"])
    style.inject(inside)
    fused = snapshot(inside["unet"])
    with lesson.inside(inside["unet"]):
        pass
    assert_untouched(inside["unet"], fused)
    style.eject()
    assert_untouched(inside["unet"], before)


def test_names_of_the_first_code_mean_the_same_modules() -> None:
    inside = networks("sdxl")
    pair = {"down.weight": torch.ones(2, 64), "up.weight": torch.ones(64, 2)}
    first = {f"lora_unet_input_blocks_4_1_proj_in.lora_{k}": v for k, v in pair.items()}
    ours = {f"lora_unet_down_blocks_1_attentions_0_proj_in.lora_{k}": v for k, v in pair.items()}
    assert (
        read_style(first, inside, "a")["unet"].keys()
        == read_style(ours, inside, "b")["unet"].keys()
    )


def test_older_names_of_diffusers_are_known() -> None:
    block = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1"
    encoder = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer"
    file = {
        f"{block}.processor.to_out_lora.down.weight": torch.ones(2, 64),
        f"{block}.processor.to_out_lora.up.weight": torch.ones(64, 2),
        f"{encoder}.down.weight": torch.ones(2, 32),
        f"{encoder}.up.weight": torch.ones(32, 2),
    }
    found = read_style(file, networks("sdxl"), "old")
    assert list(found["unet"]) == [f"{block.removeprefix('unet.')}.to_out.0.weight"]
    assert len(found["text_encoder"]) == 1


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ({}, "no tensors"),
        ({f"unet.{Q}.lora_A.weight": torch.ones(2, 4)}, "incomplete: the other matrix"),
        (
            {
                "lora_unet_nowhere.lora_down.weight": torch.ones(2, 4),
                "lora_unet_nowhere.lora_up.weight": torch.ones(4, 2),
            },
            "no weight for its tensor lora_unet_nowhere",
        ),
        (
            {
                f"unet.{Q}.lora_A.weight": torch.ones(2, 4),
                f"unet.{Q}.lora_B.weight": torch.ones(64, 2),
            },
            r"changes 64 × 4, the model's .*to_q\.weight has 64 × 64",
        ),
        (
            {f"unet.{Q}.lokr_w1": torch.ones(()), f"unet.{Q}.lokr_w2": torch.ones(64, 64)},
            r"changes a single number, the model's .*to_q\.weight has 64 × 64",
        ),
        (
            {
                "unet.conv_norm_out.w_norm": torch.ones(32),
                "unet.conv_norm_out.dora_scale": torch.ones(32),
            },
            r"changes 32, the model's conv_norm_out\.weight has 32",
        ),
        ({"lora_unet_x.oft_blocks": torch.ones(2, 4)}, "a kind that Acetate cannot fuse"),
        ({"something.lora_down.weight": torch.ones(2, 4)}, "belongs to no network"),
    ],
)
def test_what_does_not_fit_is_explained(file: dict[str, Tensor], reason: str) -> None:
    with pytest.raises(PatchMismatch, match=reason) as refused:
        StylePatch.read(file, networks("sdxl"), 1.0, "ink.safetensors")
    assert "ink.safetensors" in str(refused.value)
