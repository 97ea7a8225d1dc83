"""Distances and features that others publish as TorchScript, such as LPIPS and Inception."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from acetate.errors import BadRequest
from acetate.evaluation.fidelity import compare
from acetate.evaluation.torch_script import distance_in, network_in


class Distance(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return (first - second).abs().mean(dim=[1, 2, 3], keepdim=True)


class Alone(nn.Module):
    def forward(self, picture: Tensor) -> Tensor:
        return picture.mean(dim=[2, 3])


class Several(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        return first, second


def write(network: nn.Module, path: Path) -> Path:
    jit = cast("Any", torch.jit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        jit.script(network.eval()).save(str(path))
    return path


def test_a_distance_is_asked_for_pictures_from_minus_1_to_1_over_every_tone(tmp_path: Path) -> None:
    distance = distance_in(write(Distance(), tmp_path / "lpips.pt"))
    truth, found = torch.ones(1, 4, 16, 16), torch.ones(1, 4, 16, 16)
    truth[:, 3, :, :8] = 0  # White on the right; what is clear shows the tone.
    found[:, :3], found[:, 3, :, :8] = 0.75, 0
    figures = compare(found, truth, distance)
    for tone in ("grey", "black", "white"):
        assert figures[f"LPIPS {tone}"] == pytest.approx(0.25)
    assert figures["LPIPS"] == pytest.approx(0.25)
    assert not any("LPIPS" in name for name in compare(found, truth))


def test_features_are_what_a_network_answers_to_one_picture(tmp_path: Path) -> None:
    features = network_in(write(Alone(), tmp_path / "inception.pt"))
    assert torch.allclose(features(torch.full((2, 3, 8, 8), 0.25)), torch.full((2, 3), 0.25))


@pytest.mark.parametrize(
    ("network", "said"),
    [(Alone(), "does not take such pictures"), (Several(), "something else than one tensor")],
)
def test_a_network_of_another_kind_is_a_sentence(
    network: nn.Module, said: str, tmp_path: Path
) -> None:
    distance = distance_in(write(network, tmp_path / "other.pt"))
    with pytest.raises(BadRequest, match=said):
        distance(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize("data", [b"", b"no network", b"PK\x03\x04 cut short"])
def test_what_is_no_torch_script_is_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "notes.pt").write_bytes(data)
    with pytest.raises(BadRequest, match="no TorchScript network"):
        network_in(tmp_path / "notes.pt")
    with pytest.raises(BadRequest, match="no TorchScript network"):
        network_in(tmp_path / "missing.pt")
