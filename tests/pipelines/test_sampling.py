from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import (
    EulerAncestralDiscreteScheduler,
)
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor, nn

from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Handover, Interrupted, Step, planned_steps, sample

TARGET = torch.linspace(-1, 1, 16).reshape(1, 1, 4, 4)
SCHEDULERS: dict[str, Any] = {
    "flow": FlowMatchEulerDiscreteScheduler,
    "euler": EulerDiscreteScheduler,
    "ancestral": EulerAncestralDiscreteScheduler,
    "dpm++": DPMSolverMultistepScheduler,
}


def perfect(scheduler: Any, kind: str) -> Any:
    """A denoiser that always knows the target, in the scheduler's own kind of prediction."""

    def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
        if kind == "flow":
            sigma = timestep / 1000
            return (latent - TARGET) / sigma
        if kind == "dpm++":
            alpha, spread = scheduler._sigma_to_alpha_sigma_t(
                scheduler.sigmas[scheduler.step_index or 0]
            )
            return (latent - alpha * TARGET) / spread
        sigma = scheduler.sigmas[scheduler.step_index or 0]
        return (latent * (sigma**2 + 1) ** 0.5 - TARGET) / sigma

    return denoise


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_a_perfect_denoiser_reaches_its_target(kind: str) -> None:
    scheduler = SCHEDULERS[kind]()
    noise = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    result = sample(
        perfect(scheduler, kind),
        scheduler,
        noise,
        steps=12,
        generator=torch.Generator().manual_seed(1),
    )
    torch.testing.assert_close(result, TARGET, atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_the_expected_result_is_known_at_every_step(kind: str) -> None:
    scheduler = SCHEDULERS[kind]()
    seen: list[Tensor] = []
    sample(
        perfect(scheduler, kind),
        scheduler,
        torch.ones(1, 1, 4, 4),
        steps=5,
        generator=torch.Generator().manual_seed(1),
        on_step=lambda index, total, expected: seen.append(expected()),
    )
    assert len(seen) == 5
    for expected in seen[1:]:
        torch.testing.assert_close(expected, TARGET, atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_painting_from_a_latent_does_all_steps_that_were_asked_for(kind: str) -> None:
    scheduler = SCHEDULERS[kind]()
    steps: list[tuple[int, int]] = []
    sample(
        perfect(scheduler, kind),
        scheduler,
        torch.ones(1, 1, 4, 4),
        steps=6,
        latent=TARGET,
        strength=0.4,
        on_step=lambda index, total, expected: steps.append((index, total)),
    )
    assert steps == [(index, 6) for index in range(1, 7)]


@pytest.mark.parametrize(
    ("steps", "strength", "planned"),
    [
        (1, 0.6, 2), (1, 0.9, 1), (3, 0.8, 4), (4, 0.85, 5), (4, 0.95, 4), (8, 0.5, 16),
        (20, 0.96, 21), (20, 0.99, 20), (20, 1.0, 20), (25, 0.7, 35),
    ],
)  # fmt: skip
def test_few_steps_begin_near_the_strength_that_was_asked_for_and_not_at_pure_noise(
    steps: int, strength: float, planned: int
) -> None:
    assert planned_steps(steps, strength) == planned


@pytest.mark.parametrize(("strength", "planned"), [(0.5, 20), (0.25, 40), (1.0, 10)])
def test_a_strength_stretches_the_schedule_and_begins_where_it_says(
    strength: float, planned: int
) -> None:
    """Ten steps at half strength are the last ten of twenty, not of ten."""
    scheduler, seen = FlowMatchEulerDiscreteScheduler(), list[float]()
    known = perfect(scheduler, "flow")

    def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
        seen.append(float(timestep))
        return known(latent, timestep)

    noise = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    sample(denoise, scheduler, noise, steps=10, latent=TARGET, strength=strength)
    whole = FlowMatchEulerDiscreteScheduler()
    whole.set_timesteps(planned)
    planned_times = whole.timesteps
    assert planned_times is not None
    assert seen == planned_times[planned - 10 :].tolist()


def test_random_schedulers_repeat_with_the_seed() -> None:
    def run() -> Tensor:
        return sample(
            lambda latent, timestep: torch.zeros_like(latent),
            EulerAncestralDiscreteScheduler(),
            torch.ones(1, 1, 4, 4),
            steps=4,
            generator=torch.Generator().manual_seed(5),
        )

    assert torch.equal(run(), run())


def test_handover_changes_the_denoiser_once_at_its_share() -> None:
    calls: list[str] = []

    def named(name: str) -> Any:
        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            calls.append(name)
            return torch.zeros_like(latent)

        return denoise

    def begin() -> Any:
        calls.append("change")
        return named("bare")

    sample(
        named("patched"),
        FlowMatchEulerDiscreteScheduler(),
        torch.ones(1, 1, 4, 4),
        steps=4,
        handover=Handover(0.5, begin),
    )
    assert calls == ["patched", "patched", "change", "bare", "bare"]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_the_share_is_one_of_noise_and_not_of_steps(share: float) -> None:
    scheduler = DPMSolverMultistepScheduler(use_karras_sigmas=True)
    seen: list[bool] = []

    def counting(alone: bool) -> Any:
        return lambda latent, timestep: (seen.append(alone), torch.zeros_like(latent))[1]

    handover = Handover(share, lambda: counting(True))
    sample(counting(False), scheduler, torch.ones(1, 1, 4, 4), steps=20, handover=handover)
    levels = scheduler.timesteps
    assert seen == [bool(level < (1 - share) * 999) for level in levels]
    assert 0 < seen.count(False) < 20
    assert share != 0.5 or seen.count(False) == 11, "more steps than half lie above half the noise"


class ScalingPatch:
    """Scales the parameters of a module, and counts how often it goes in and out."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def inject(self, target: nn.Module) -> None:
        self.target = target
        self.events.append("inject")

    def eject(self) -> None:
        self.events.append("eject")


def run_patched(pipeline: Pipeline, patch: ScalingPatch, **keywords: Any) -> None:
    noise = pipeline.draw_noise(64, 64, torch.Generator().manual_seed(0))
    prompt = pipeline.encode_prompt(["a cat"], [""])
    pipeline.denoise(noise, prompt, steps=2, guidance=3.0, patch=patch, **keywords)


@pytest.mark.parametrize("stop_at", [1.0, 0.5])
def test_a_patch_is_ejected_exactly_once(tiny_pipeline: Pipeline, stop_at: float) -> None:
    patch = ScalingPatch()
    run_patched(tiny_pipeline, patch, stop_at=stop_at)
    assert patch.events == ["inject", "eject"]


def test_an_interruption_stops_within_a_step_and_ejects_the_patch(tiny_pipeline: Pipeline) -> None:
    patch = ScalingPatch()
    steps: list[int] = []

    def stop(step: Step) -> None:
        steps.append(step.index)
        raise Interrupted

    with pytest.raises(Interrupted):
        run_patched(tiny_pipeline, patch, on_step=stop)
    assert steps == [1]
    assert patch.events == ["inject", "eject"]


def test_a_step_offers_a_preview_in_straight_alpha(tiny_pipeline: Pipeline) -> None:
    previews: list[Tensor] = []
    run_patched(tiny_pipeline, ScalingPatch(), on_step=lambda step: previews.append(step.preview()))
    assert [tuple(preview.shape) for preview in previews] == [(1, 4, 64, 64)] * 2
    assert all(0 <= preview.min() and preview.max() <= 1 for preview in previews)


@pytest.mark.parametrize("kind", SCHEDULERS)
def test_a_place_leaves_its_latent_only_as_far_as_it_is_free(kind: str) -> None:
    """Of four columns the first never, the second late, the third early, the last at once."""
    scheduler = SCHEDULERS[kind]()
    start = torch.full((1, 1, 4, 4), 3.0)
    freedom = torch.tensor([0.0, 0.25, 0.75, 1.0]).expand(1, 1, 4, 4)
    noise = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    seen: list[Tensor] = []
    denoise = perfect(scheduler, kind)

    def watching(latent: Tensor, timestep: Tensor) -> Tensor:
        seen.append(latent.clone())
        return denoise(latent, timestep)

    result = sample(
        watching,
        scheduler,
        noise,
        steps=8,
        latent=start,
        freedom=freedom,
        generator=torch.Generator().manual_seed(1),
    )
    assert torch.equal(result[..., 0], start[..., 0])
    torch.testing.assert_close(result[..., 1:], TARGET[..., 1:], atol=0.05, rtol=0)
    held = SCHEDULERS[kind]()
    held.set_timesteps(8)
    held.set_begin_index(0)
    for index, latent in enumerate(seen):
        place = getattr(held, "scale_noise", None) or held.add_noise
        arguments = (start, held.timesteps[index : index + 1], noise)
        if kind != "flow":
            arguments = (start, noise, held.timesteps[index : index + 1])
        held._step_index = index
        kept = place(*arguments)
        if hasattr(held, "scale_model_input"):
            kept = held.scale_model_input(kept, held.timesteps[index])
        free = freedom >= 1 - index / 8
        assert torch.allclose(latent[~free], kept[~free], atol=1e-5)
        assert index == 0 or not torch.allclose(latent[free], kept[free], atol=1e-5)
