"""Twins of the official files, with their names and shapes and no contents, at full size."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from acetate.adapters import AttentionSharing
from acetate.adapters.transparency_patch_file import read_changes
from acetate.adapters.weight_changes import LowRank
from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from tests.parity.reference import listing

XL, SD15 = listing("keymap_xl"), listing("keymap_sd15")
SPARED = ("time_embed.", "label_emb.")
RESNETS = ("in_layers", "out_layers", "emb_layers", "skip_connection", ".op.", ".conv.")


def twin(names: dict[str, list[int]]) -> dict[str, Tensor]:
    with torch.device("meta"):
        return {name: torch.empty(shape) for name, shape in names.items()}


def weights(table: dict[str, list]) -> dict[str, Tensor]:
    return twin({name: shape for name, (_, shape) in table.items()})


def attention_twin() -> dict[str, Tensor]:
    file: dict[str, list[int]] = {}
    for name, (ldm, shape) in XL.items():
        if ".attn" in name and name.endswith(".weight"):
            file[f"diffusion_model.{ldm}::lora::0"] = [shape[0], 256]
            file[f"diffusion_model.{ldm}::lora::1"] = [256, shape[1]]
    return twin(file)


def convolution_twin(channels: int) -> dict[str, Tensor]:
    file: dict[str, list[int]] = {}
    for ldm, shape in XL.values():
        projection = any(f".to_{kind}." in ldm for kind in "qkv")
        if not projection and not ldm.startswith(SPARED):
            file[f"diffusion_model.{ldm}::diff::0"] = shape
    file["diffusion_model.input_blocks.0.0.weight::diff::0"] = [320, channels, 3, 3]
    return twin(file)


def resnet_twin(channels: int) -> dict[str, Tensor]:
    return {
        key: tensor
        for key, tensor in convolution_twin(channels).items()
        if any(part in key for part in RESNETS) or ".0.0." in key or "model.out." in key
    }


def test_the_low_rank_file() -> None:
    file = attention_twin()
    changes = read_changes(file, weights(XL))
    assert len(file) == 1120 and len(changes) == 560
    assert all(isinstance(change, LowRank) for change in changes.values())
    assert 2 * sum(tensor.numel() for tensor in file.values()) == 743_178_240


@pytest.mark.parametrize("channels", [4, 8, 12])
@pytest.mark.parametrize("make", [convolution_twin, resnet_twin])
def test_the_additive_files(make, channels: int) -> None:
    file = make(channels)
    changes = read_changes(file, weights(XL))
    assert len(changes) == len(file)
    assert changes["conv_in.weight"].shape() == (320, channels, 3, 3)


def test_the_multiplied_out_file() -> None:
    file = {
        name: tensor
        for name, tensor in weights(XL).items()
        if ".attn" in name and name.endswith(".weight")
    }
    assert len(read_changes(file, weights(XL))) == 560
    assert sum(tensor.numel() for tensor in file.values()) == 955_187_200


def test_the_pair_of_flux_in_its_one_file() -> None:
    file = listing("keys_flux_transparentvae")
    assert {name.split(".")[0] for name in file} == {"sd_vae", "encoder", "decoder"}
    with torch.device("meta"):
        networks = {
            "encoder.": OffsetEncoder(latent_channels=16),
            "decoder.": TransparentDecoder(latent_channels=16),
        }
    for prefix, network in networks.items():
        inside = {key.removeprefix(prefix): file[key] for key in file if key.startswith(prefix)}
        assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == inside


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("keys_layer_sd15_transparent_attn", 1),
        ("keys_layer_sd15_joint", 3),
        ("keys_layer_sd15_fg2bg_bg2fg", 2),
    ],
)
def test_the_attention_sharing_files(name: str, frames: int) -> None:
    with torch.device("meta"):
        denoiser = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)
        assert denoiser.state_dict().keys() == SD15.keys()
        patch = AttentionSharing.read(twin(listing(name)), denoiser)
    assert (patch.frames, len(patch.units)) == (frames, 32)
