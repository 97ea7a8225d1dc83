"""The published sampler, on a toy model whose every step is on record."""

from __future__ import annotations

import torch
from torch import Tensor

from acetate.pipelines.sampling import guided, sample
from acetate.pipelines.schedulers import make_scheduler
from tests.parity.reference import TOLERANCE, difference, golden
from tests.support.tiny_families import NOISE

EXPECTED = golden("sampler_dpmpp2m_karras25")
START = torch.from_numpy(EXPECTED["x_init"])


def toy(x: Tensor, timestep: Tensor, bias: float) -> Tensor:
    return torch.tanh(0.7 * x) + bias + 1e-4 * timestep


def test_the_noise_levels_and_timesteps() -> None:
    scheduler = make_scheduler("dpmpp_2m_karras", NOISE)
    scheduler.set_timesteps(25)
    assert difference(scheduler.sigmas, EXPECTED["sigmas25"]) < TOLERANCE
    assert scheduler.timesteps.tolist() == EXPECTED["timesteps25"].tolist()


def test_the_tail_of_an_image_to_image_schedule() -> None:
    scheduler = make_scheduler("dpmpp_2m_karras", NOISE)
    scheduler.set_timesteps(int(25 / 0.7))
    assert difference(scheduler.sigmas[-26:], EXPECTED["sigmas_img2img_strength07"]) < TOLERANCE


def test_the_whole_trajectory() -> None:
    scheduler = make_scheduler("dpmpp_2m_karras", NOISE)
    scheduler.set_timesteps(25)
    unit = START / scheduler.init_noise_sigma
    inputs: list[Tensor] = []

    def denoise(x: Tensor, timestep: Tensor) -> Tensor:
        inputs.append(x * (float(scheduler.sigmas[len(inputs)]) ** 2 + 1) ** 0.5)
        return guided(toy(x, timestep, 0.05), toy(x, timestep, -0.05), 7.0)

    result = sample(denoise, scheduler, unit, steps=25)
    assert difference(result, EXPECTED["out"]) < TOLERANCE
    assert difference(torch.stack(inputs), EXPECTED["trajectory"]) < TOLERANCE
