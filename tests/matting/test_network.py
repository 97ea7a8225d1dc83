from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from acetate.errors import ModelDamaged
from acetate.matting.network import MattingNetwork, NoMatting, prepared_as
from tests.support.tiny_onnx import write_matting


def red_square() -> torch.Tensor:
    picture = torch.full((1, 3, 96, 160), 0.9)
    picture[..., 32:64, 64:128] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    return picture


@pytest.mark.parametrize("side", [0, 64])
def test_what_stands_in_front_is_told_at_the_size_of_the_picture(tmp_path: Path, side: int) -> None:
    matte = MattingNetwork(write_matting(tmp_path / "u2net.onnx", side))(red_square())
    assert matte.shape == (1, 1, 96, 160)
    assert float(matte[..., 40:56, 72:120].min()) == 1
    assert float(matte[..., :24, :].max()) == 0


def test_colours_are_prepared_as_the_authors_of_a_network_did() -> None:
    assert prepared_as("isnet-general-use.onnx")[1] == (1.0, 1.0, 1.0)
    assert prepared_as("RMBG_1_4.onnx")[1] == (1.0, 1.0, 1.0)
    assert prepared_as("modnet_photographic.onnx")[1] == (0.5, 0.5, 0.5)
    assert prepared_as("BiRefNet-general.onnx") == prepared_as("u2net.onnx")


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="single picture with three colours"):
        MattingNetwork(write_matting(tmp_path / "one.onnx", colours=1))
    (tmp_path / "torn.onnx").write_bytes(write_matting(tmp_path / "two.onnx").read_bytes()[:40])
    with pytest.raises(ModelDamaged, match="torn.onnx is no network"):
        MattingNetwork(tmp_path / "torn.onnx")


@pytest.mark.parametrize("side", [4097, 100_000, 2**31, 2**60])
def test_a_network_that_says_it_takes_a_picture_that_no_memory_holds_is_refused(
    tmp_path: Path, side: int
) -> None:
    with pytest.raises(ModelDamaged, match=f"{side} × {side} pixels"):
        MattingNetwork(write_matting(tmp_path / "u2net.onnx", side))


def test_it_is_said_what_runs_it_where_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(NoMatting, match="need onnxruntime, which is not installed"):
        MattingNetwork(write_matting(tmp_path / "u2net.onnx"))
