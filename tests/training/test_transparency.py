"""Our own pair is made by the trainer that makes any base transparent."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from acetate.errors import BadRequest
from acetate.training import transparency
from acetate.training.architecture import build_autoencoder
from acetate.training.dataset import PictureSet, SplitPixels
from acetate.training.transparency import load_transparency, train_decoder, train_transparency


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With an autoencoder; pictures are learned at half of their size."""
    monkeypatch.setattr(transparency, "CODEC_SIZE", 32)
    write_autoencoder(tmp_path, seed=3)
    return tmp_path


def write_autoencoder(folder: Path, seed: int) -> None:
    """As stage 1 leaves it."""
    torch.manual_seed(seed)
    average = {"autoencoder": build_autoencoder().state_dict()}
    torch.save({"average": average}, folder / "autoencoder.pt")


def nothing(_: str) -> None:
    """No report."""


@pytest.mark.exhaustive
def test_a_decoder_is_polished_behind_the_encoder_of_its_pair(data: Path, out: Path) -> None:
    train_transparency(data, out, 2, 1, nothing)
    pair = load_transparency(out)
    train_decoder(data, out, 2, 1, nothing)
    polished = load_transparency(out)
    assert _same(pair.encoder, polished.encoder)
    assert not _same(pair.decoder, polished.decoder)
    (out / "transparency.pt").unlink()
    train_transparency(data, out, 2, 2, nothing)
    again = load_transparency(out)
    assert not _same(again.decoder, polished.decoder)
    with pytest.raises(BadRequest, match="begun with another pair"):
        train_decoder(data, out, 2, 1, nothing)


def test_what_was_learned_is_refused_with_another_autoencoder(data: Path, out: Path) -> None:
    train_transparency(data, out, 1, 1, nothing)
    write_autoencoder(out, seed=4)
    with pytest.raises(BadRequest, match="begun with another autoencoder"):
        train_transparency(data, out, 1, 1, nothing)


def test_a_checkpoint_of_the_former_trainer_says_what_to_do(data: Path, out: Path) -> None:
    torch.save({"step": 4, "average": {"encoder": {}, "decoder": {}}}, out / "transparency.pt")
    with pytest.raises(FileNotFoundError, match="delete it"):
        load_transparency(out)
    with pytest.raises(BadRequest, match="begun with another"):
        train_transparency(data, out, 1, 1, nothing)


def test_pictures_of_a_split_are_its_own_and_spread_evenly(pictures: PictureSet) -> None:
    rows = pictures.rows("train")
    every, few = SplitPixels(pictures, "train"), SplitPixels(pictures, "train", 3)
    assert len(every) == len(rows) and len(few) == 3
    assert (every[5] == pictures.pixels[rows[5]]).all()
    assert (few[2] == pictures.pixels[rows[2 * (len(rows) // 3)]]).all()
    assert len(every[:4]) == 4


def _same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())
