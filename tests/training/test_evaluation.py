from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from acetate.pipelines.embedded import EmbeddedPipeline
from acetate.training.dataset import PictureSet
from acetate.training.evaluation import round_trips
from acetate.training.originality import nearest


class Lossless:
    """A codec whose latent is the layer itself, so that nothing is lost."""

    def encode_small_picture(self, rgb: Tensor) -> Tensor:
        return rgb

    def encode_small(self, rgba: Tensor) -> Tensor:
        return rgba

    def decode_small_picture(self, latent: Tensor) -> Tensor:
        if latent.shape[1] == 3:
            return latent
        return latent[:, :3] * latent[:, 3:] + 0.5 * (1 - latent[:, 3:])

    def decode_small(self, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        return latent


class Faded(Lossless):
    """Loses a tenth of every layer's alpha."""

    def decode_small(self, latent: Tensor, passes: int, chunk_pixels: int) -> Tensor:
        return torch.cat([latent[:, :3], latent[:, 3:] * 0.9], 1)


def test_a_lossless_round_trip_measures_as_one(pictures: PictureSet) -> None:
    trip = round_trips(Lossless(), pictures, "style", passes=1, limit=8)  # type: ignore[arg-type]
    assert trip.pictures == 8
    assert trip.alpha_error == 0 and trip.alpha_iou == 1
    assert trip.colour_decibels > 90
    assert trip.identity_drop == pytest.approx(0, abs=1e-6)


def test_lost_alpha_shows_in_the_figures(pictures: PictureSet) -> None:
    trip = round_trips(Faded(), pictures, "style", passes=1, limit=8)  # type: ignore[arg-type]
    visible = float((pictures.pixels[0][..., 3] > 0).mean())
    assert trip.alpha_error == pytest.approx(0.1 * visible, abs=1e-3)
    assert trip.colour_decibels < 40


def test_a_real_codec_is_measured_on_both_splits(
    tiny_pipeline: EmbeddedPipeline, pictures: PictureSet
) -> None:
    entries = [replace(entry, split="concept") for entry in pictures.entries]
    for held, split in ((pictures, "style"), (replace(pictures, entries=entries), "concept")):
        trip = round_trips(tiny_pipeline.codec, held, split, passes=1, limit=4)
        assert trip.pictures == 4 and 0 <= trip.alpha_iou <= 1 and trip.plain_decibels > 0


def test_a_copy_of_a_training_picture_is_found_out_even_mirrored(pictures: PictureSet) -> None:
    row = int(pictures.rows("train")[3])
    copy = torch.from_numpy(pictures.pixels[row][:, ::-1].copy()).permute(2, 0, 1)[None] / 255
    (neighbour,) = nearest(copy, pictures)
    assert neighbour.distance < 0.01
