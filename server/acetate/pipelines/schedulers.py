"""The schedulers that a painter can name, for base models of the Stable Diffusion kind.

The advice is the authors' (LayerDiffuse, README and issue threads): DPM++ for layers and blended
pictures, Euler a or UniPC for what is taken out of a blended picture; few-step ones for bases
distilled to them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import (
    EulerAncestralDiscreteScheduler,
)
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from diffusers.schedulers.scheduling_tcd import TCDScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from acetate.errors import BadRequest, ModelDamaged
from acetate.pipelines.dpmpp_2m import KarrasMultistep

Config = Mapping[str, Any]

_PREDICTIONS = ("epsilon", "v_prediction")


def _dpm(config: Config) -> KarrasMultistep:
    levels = cast("Any", _QuietEuler(**_noise(config))).sigmas
    sigmas = levels.flip(0)[1:]
    return KarrasMultistep(sigmas, config.get("prediction_type", "epsilon"))


@contextmanager
def _without_numpy_warning() -> Generator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


class _Quiet:
    """Hides that diffusers hands tensors to numpy in a way that numpy 2 warns of."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        with _without_numpy_warning():
            super().__init__(*arguments, **keywords)

    def set_timesteps(self, *arguments: Any, **keywords: Any) -> None:
        with _without_numpy_warning():
            cast("Any", super()).set_timesteps(*arguments, **keywords)  # The scheduler's, mixed in.


class _QuietDpm(_Quiet, DPMSolverMultistepScheduler):
    pass


class _QuietEulerAncestral(_Quiet, EulerAncestralDiscreteScheduler):
    pass


class _QuietEuler(_Quiet, EulerDiscreteScheduler):
    pass


class _QuietTcd(_Quiet, TCDScheduler):
    pass


class _QuietLcm(_Quiet, LCMScheduler):
    pass


class _QuietUniPC(_Quiet, UniPCMultistepScheduler):
    pass


def _dpm_sde(config: Config) -> Any:
    return _QuietDpm(**_noise(config), algorithm_type="sde-dpmsolver++", use_karras_sigmas=True)


SCHEDULERS: dict[str, Callable[[Config], Any]] = {
    "dpmpp_2m_karras": _dpm,
    "dpmpp_2m_sde_karras": _dpm_sde,
    "euler_a": lambda config: _QuietEulerAncestral(**_noise(config)),
    "euler": lambda config: _QuietEuler(**_noise(config)),
    "unipc": lambda config: _QuietUniPC(**_noise(config)),
    "lightning": lambda config: _QuietEuler(**_noise(config), timestep_spacing="trailing"),
    "hyper": lambda config: _QuietTcd(**_noise(config)),
    "turbo": lambda config: _QuietEulerAncestral(**_noise(config), timestep_spacing="trailing"),
    "lcm": lambda config: _QuietLcm(**_noise(config)),
    "lcm_guided": lambda config: _QuietLcm(**_noise(config)),
    "dmd2": lambda config: _QuietLcm(**_noise(config)),
    "pcm": lambda config: _QuietTcd(**_noise(config), timestep_spacing="trailing"),
    "flash": lambda config: _QuietLcm(**_noise(config), timestep_spacing="trailing"),
    "sdxs": lambda config: _QuietEuler(**_noise(config), timestep_spacing="trailing"),
}
"""From `lightning` on, those of bases that were distilled to few steps; see `FEW_STEPS`."""

NOT_FROM_NOISE = ("hyper", "pcm", "lcm", "lcm_guided", "dmd2", "flash")


def make_scheduler(name: str, config: Config) -> Any:
    """A fresh scheduler for a base whose `scheduler_config.json` is `config`.

    Raises BadRequest naming the schedulers there are, ModelDamaged for a base that predicts
    something else than noise or velocity.
    """
    if name not in SCHEDULERS:
        raise BadRequest(f"There is no scheduler “{name}”: use {', '.join(SCHEDULERS)}.")
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in _PREDICTIONS:
        raise ModelDamaged(
            f"The base model predicts “{prediction}”, which Acetate cannot sample: "
            "take one that predicts noise (epsilon) or velocity (v_prediction)."
        )
    if config.get("rescale_betas_zero_snr") and name in NOT_FROM_NOISE:
        raise BadRequest(
            f"The scheduler “{name}” cannot start from pure noise, which this base was trained on: "
            "use euler_a."
        )
    return SCHEDULERS[name](config)


def _noise(config: Config) -> dict[str, Any]:
    """What says how the base was noised in training; the rest is the scheduler's own affair."""
    names = (
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "prediction_type",
        "rescale_betas_zero_snr",
        "trained_betas",
    )
    return {name: config[name] for name in names if name in config}
