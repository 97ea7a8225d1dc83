from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from acetate.errors import BadRequest, ModelDamaged
from acetate.pipelines.karras import KarrasMultistep
from acetate.pipelines.sampling import Handover, sample
from acetate.pipelines.schedulers import SCHEDULERS, make_scheduler
from tests.tiny_families import NOISE

TARGET = 0.7


def perfect(prediction: str, alphas: Tensor) -> Any:
    """A denoiser that always knows that the clean latent is TARGET everywhere."""

    def denoise(x: Tensor, timestep: Tensor) -> Tensor:
        alpha = float(alphas[int(timestep)])
        signal, noise = alpha**0.5, (1 - alpha) ** 0.5
        epsilon = (x - signal * TARGET) / noise
        return epsilon if prediction == "epsilon" else signal * epsilon - noise * TARGET

    return denoise


def alphas_of(config: dict[str, Any]) -> Tensor:
    return make_scheduler("euler", config).alphas_cumprod


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_perfect_denoiser_is_followed_to_the_target(name: str, prediction: str) -> None:
    config = NOISE | {"prediction_type": prediction}
    scheduler = make_scheduler(name, config)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    result = sample(
        perfect(prediction, alphas_of(config)),
        scheduler,
        noise,
        steps=12,
        generator=torch.Generator().manual_seed(0),
    )
    assert (result - TARGET).abs().mean() < 0.1


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_same_seed_gives_the_same_latent(name: str) -> None:
    def paint(seed: int) -> Tensor:
        noise = torch.ones(1, 4, 8, 8)
        generator = torch.Generator().manual_seed(seed)
        return sample(
            lambda x, t: torch.tanh(x), make_scheduler(name, NOISE), noise, steps=4,
            generator=generator,
        )  # fmt: skip

    assert torch.equal(paint(1), paint(1))


def test_a_name_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadRequest, match="“ddpm”: use dpmpp_2m_karras, dpmpp_2m_sde_karras"):
        make_scheduler("ddpm", NOISE)


def test_a_base_that_predicts_something_else_is_refused() -> None:
    with pytest.raises(ModelDamaged, match="predicts “sample”"):
        make_scheduler("euler", NOISE | {"prediction_type": "sample"})


def test_history_is_kept_when_another_denoiser_takes_over() -> None:
    """Handing over to the same denoiser changes nothing: the solver does not start anew."""

    def denoise(x: Tensor, timestep: Tensor) -> Tensor:
        return torch.tanh(x) + 1e-4 * timestep

    noise = torch.randn(1, 4, 8, 8)
    whole = sample(denoise, make_scheduler("dpmpp_2m_karras", NOISE), noise, steps=8)
    handed = sample(
        denoise,
        make_scheduler("dpmpp_2m_karras", NOISE),
        noise,
        steps=8,
        handover=Handover(0.5, lambda: denoise),
    )
    assert torch.equal(whole, handed)


def test_the_noise_levels_fall_to_zero() -> None:
    scheduler = make_scheduler("dpmpp_2m_karras", NOISE)
    assert isinstance(scheduler, KarrasMultistep)
    scheduler.set_timesteps(20)
    assert (scheduler.sigmas.diff() < 0).all()
    assert scheduler.sigmas[-1] == 0
