"""What is left to chance in a sample: by its seed, its number and its purpose, each for itself."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from acetate.training.conversion.bases import find_base
from acetate.training.conversion.latent_cache import LatentCache
from acetate.training.conversion.layouts import LAYOUTS, build_pair
from acetate.training.conversion.objectives import Objective, objective_of
from acetate.training.conversion.order import chance, drawn
from acetate.training.conversion.pair_stage import PairStage
from acetate.training.conversion.widened_stage import WidenedStage
from tests.support.tiny_families import write_tiny_sd15

MANY = 2000
SAMPLES = list(range(MANY))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sd15(tmp_path_factory.mktemp("base") / "tiny-sd15")


def likeness(one: Tensor, other: Tensor) -> float:
    """How far two rows go together, from -1 to 1; 0 for rows that know nothing of each other."""
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])


def test_seeds_samples_and_purposes_draw_independently() -> None:
    ways = itertools.product((0, 1, 2, 2**31 - 1), (0, 1, 2, 2**32 + 1), ("noise", "level"))
    drawn_so = [torch.randn(MANY, generator=chance(*way)) for way in ways]
    for one, other in itertools.combinations(drawn_so, 2):
        assert abs(likeness(one, other)) < 0.15


def test_the_same_seed_and_number_draw_the_same() -> None:
    assert torch.equal(drawn((3, 4), 7, 9), drawn((3, 4), 7, 9))


def test_another_seed_brings_other_noise() -> None:
    assert abs(likeness(drawn((MANY,), 1, 5), drawn((MANY,), 2, 5))) < 0.15


@pytest.mark.parametrize("family", ["sd15", "flux"])
def test_noise_levels_follow_the_seed_and_not_the_noise(family: str) -> None:
    config = {"num_train_timesteps": 1000} if family == "sd15" else {}
    objective = objective_of(family, config, 4)
    first, second = (levels(objective, seed) for seed in (1, 2))
    assert abs(likeness(first, second)) < 0.15
    # The first number of a sample's noise once decided how much of it there was.
    noise = torch.stack([drawn((1, 1, 1), 1, number) for number in SAMPLES])
    assert abs(likeness(first, noise)) < 0.15


def levels(objective: Objective, seed: int) -> Tensor:
    return objective.noisy(torch.zeros(MANY, 1, 1, 1), SAMPLES, seed)[1].float()


def test_which_pictures_are_mirrored_and_which_words_left_out_follows_the_seed(
    tmp_path: Path,
) -> None:
    save_file(
        {"plain": torch.zeros(1, 1, 1, 1), "mirrored": torch.ones(1, 1, 1, 1)},
        tmp_path / "latents-00000.safetensors",
    )
    # Sorted, the empty caption is the first.
    words = torch.tensor([0.0, 1.0])[:, None, None]
    save_file({"tokens": words}, tmp_path / "words-00000.safetensors")
    index = {"keys": ["disc.png"], "texts": {"disc.png": "disc"}, "pooled": False}
    (tmp_path / "index.json").write_text(json.dumps(index))

    def samples(seed: int) -> list[Tensor]:
        cache = LatentCache(tmp_path, ["disc.png"], seed, learning=True)
        each = [cache[number] for number in SAMPLES]
        return [torch.stack([one[name] for one in each]) for name in ("latent", "tokens")]

    (mirrored, told), (mirrored_too, told_too) = samples(1), samples(2)
    assert float(mirrored.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(told.mean()) == pytest.approx(0.9, abs=0.03)
    assert abs(likeness(mirrored, mirrored_too)) < 0.15
    assert abs(likeness(told, told_too)) < 0.15
    assert abs(likeness(mirrored, told)) < 0.15


@pytest.mark.parametrize("kind", ["offset", "widened"])
def test_what_an_autoencoder_learns_from_follows_the_seed(kind: str, base: Path) -> None:
    frozen = find_base(str(base)).autoencoder(torch.device("cpu"), torch.float32)
    shape = json.loads((base / "transparency" / "config.json").read_text(encoding="utf-8"))
    rgba = torch.rand(1, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    batch = {"rgba": rgba, "number": torch.tensor([3])}

    def loss(seed: int) -> float:
        torch.manual_seed(0)
        if kind == "widened":
            stage = WidenedStage(frozen, rgba, seed)
        else:
            pair = build_pair("sd15", frozen.channels, shape)
            stage = PairStage(frozen, *pair, LAYOUTS["sd15"], rgba, seed, 0)
        with torch.no_grad():
            return float(stage(batch, 0)["loss"])

    assert loss(1) == loss(1)
    assert loss(1) != loss(2)
