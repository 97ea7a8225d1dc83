from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_tcd import TCDScheduler
from torch import Tensor

from acetate.errors import BadRequest, ModelDamaged
from acetate.models.families import FAMILIES
from acetate.models.few_steps import FEW_STEPS, preset_told_by
from acetate.pipelines.dpmpp_2m import KarrasMultistep
from acetate.pipelines.sampling import Handover, sample
from acetate.pipelines.schedulers import NOT_FROM_NOISE, SCHEDULERS, make_scheduler
from tests.support.tiny_families import NOISE

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


SDXL_BASE = NOISE | {
    "interpolation_type": "linear",
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "trained_betas": None,
    "use_karras_sigmas": False,
}
"""How the published SDXL base configures its scheduler."""


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("steps", [2, 4, 8])
def test_lightning_has_the_levels_that_its_authors_ask_of_diffusers(steps: int) -> None:
    ours = make_scheduler("lightning", SDXL_BASE)
    theirs = EulerDiscreteScheduler.from_config(SDXL_BASE, timestep_spacing="trailing")
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(steps)
    assert ours.timesteps.tolist() == [1000 * k / steps - 1 for k in range(steps, 0, -1)]
    assert torch.equal(ours.timesteps, theirs.timesteps)
    assert torch.equal(ours.sigmas, theirs.sigmas)
    assert ours.init_noise_sigma == theirs.init_noise_sigma


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("steps", [1, 4, 8])
def test_hyper_has_the_levels_of_diffusers(steps: int) -> None:
    ours, theirs = make_scheduler("hyper", SDXL_BASE), TCDScheduler.from_config(SDXL_BASE)
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(steps)
    assert torch.equal(ours.timesteps, theirs.timesteps)
    assert torch.equal(ours.alphas_cumprod, theirs.alphas_cumprod)
    assert ours.init_noise_sigma == theirs.init_noise_sigma == 1


def test_the_presets_bring_their_steps_and_do_without_guidance() -> None:
    assert FEW_STEPS.keys() - {"schnell"} < SCHEDULERS.keys()
    assert FAMILIES["sdxl"].advice("lightning") == (4, 1.0)
    assert FAMILIES["sdxl"].advice("hyper") == (8, 1.0)
    assert FAMILIES["sdxl"].advice("euler_a") == FAMILIES["sdxl"].advice() == (20, 7.0)


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("juggernautXL_lightning", "lightning"),
        ("Hyper-SDXL-8steps", "hyper"),
        ("realvis_hyper", "hyper"),
        ("hyperrealism-v3", ""),
        ("dreamshaperXL_turboDpmppSDE", "turbo"),
        ("sdxl-turbo", "turbo"),
        ("LCM_Dreamshaper_v7", "lcm"),
        ("lcm-lora-sdv1-5", "lcm"),
        ("calcium_v2", ""),
        ("dmd2_sdxl_4step_lora", "dmd2"),
        ("DMD2-juggernaut", "dmd2"),
        ("pcm_sdxl_smallcfg_2step", "pcm"),
        ("flash-sdxl", "flash"),
        ("flashlight-photo", ""),
        ("sdxs-512-dreamshaper", "sdxs"),
        ("sd_xl_base_1.0", ""),
        ("photonLCM_v10", "lcm"),
        ("realDMD2Mix", "dmd2"),
        ("TCD-SD15-LoRA", "hyper"),
        ("hyperRealism_v3", ""),
        ("flash_photography", ""),
        ("lightning_bolts", ""),
    ],
)
def test_the_name_of_a_distilled_base_tells_its_preset(name: str, preset: str) -> None:
    assert preset_told_by(name) == preset


@pytest.mark.parametrize("name", SCHEDULERS)
def test_velocity_and_noise_are_two_names_of_one_prediction(name: str) -> None:
    """With the same knowledge, a base that predicts velocity is led along the same way."""

    def paint(prediction: str) -> Tensor:
        config = NOISE | {"prediction_type": prediction}
        noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        generator = torch.Generator().manual_seed(0)
        denoise = perfect(prediction, alphas_of(config))
        return sample(denoise, make_scheduler(name, config), noise, steps=6, generator=generator)

    # Timesteps are whole while noise levels are not, which the two forms weigh differently.
    assert (paint("epsilon") - paint("v_prediction")).abs().max() < 0.03


@pytest.mark.parametrize("name", [name for name in SCHEDULERS if name not in NOT_FROM_NOISE])
def test_a_velocity_base_that_was_trained_down_to_pure_noise(name: str) -> None:
    config = NOISE | {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    result = sample(
        perfect("v_prediction", alphas_of(config)),
        make_scheduler(name, config),
        noise,
        steps=20,
        generator=torch.Generator().manual_seed(0),
    )
    assert result.isfinite().all()
    assert (result - TARGET).abs().mean() < 0.1


def test_the_preset_that_cannot_start_from_pure_noise_is_refused_with_the_reason() -> None:
    config = NOISE | {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    with pytest.raises(BadRequest, match="cannot start from pure noise.*use euler_a"):
        make_scheduler("hyper", config)
