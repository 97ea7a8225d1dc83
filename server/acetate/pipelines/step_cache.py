"""Skipping most of a step where it would change little: faster, with a loss.

Four of diffusers' caches. What is skipped follows from the recipe alone, so a picture can be
painted again. `first_block` (ParaAttention): where what the first block of a transformer adds
differs by less than a share from what it added when all blocks were last run, what the others added
then is added again. `mag` (MagCache, 2506.09045): what all blocks added is added again for as long
as the authors' measured course of its size says that it changes little. `sea` (SeaCache,
2602.18993): likewise while what shows through the noise changes little. `taylor` (TaylorSeer,
2503.06923): of three steps two are drawn on from the last two that were computed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.hooks.first_block_cache import FirstBlockCacheConfig
from diffusers.hooks.hooks import StateManager
from diffusers.hooks.mag_cache import FLUX_MAG_RATIOS, MagCacheConfig, MagCacheState, nearest_interp
from diffusers.hooks.sea_cache import SeaCacheConfig
from diffusers.hooks.taylorseer_cache import TaylorSeerCacheConfig
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21TransformerBlock
from torch import Tensor, nn

from acetate.models.families import FIRST_BLOCK, MAG, SEA
from acetate.pipelines.sampling import Denoise

THRESHOLD = 0.08
"""Largest share by which the first block may differ from what it was."""

LARGEST_CHANGE = 0.06
"""Of `mag`: what the sizes that the steps skipped may have changed by, all together."""

SEEN_CHANGE = 0.25
"""Of `sea`: the share by which what shows may have changed since a step was computed."""

INTERVAL = 3
"""Of `taylor`: of so many steps one is computed."""

_LEVELS = 1000


class StepCache:
    """The cache of one painting; `run` and `skipped` count runs of the denoiser."""

    def __init__(self, denoiser: nn.Module, name: str, last: nn.Module) -> None:
        self._denoiser: Any = denoiser
        self._index = -1
        self._level: float | None = None
        self._steps = 1
        self._latent: Tensor | None = None
        self._config: Any = self._config_of(name)
        self._denoiser.enable_cache(self._config)
        self._managers = _managers(denoiser)
        self._fold = _counted(last, self._computes)
        self._handle = denoiser.register_forward_pre_hook(self._runs)
        self.run = 0
        self._computed = 0

    @property
    def skipped(self) -> int:
        """Runs in which the last block was not."""
        return self.run - self._computed

    def start_counting(self) -> None:
        """Before another picture."""
        self.run = self._computed = 0

    def begin(self, steps: int, skipped: int) -> None:
        """Before another picture, of a schedule of so many steps of which the first are left out.

        That is for painting from a picture: how much a step changes follows from its noise.
        """
        self._steps, self._index, self._level = steps, skipped - 1, None
        if isinstance(self._config, MagCacheConfig):
            self._config.num_inference_steps = steps
            self._config.mag_ratios = nearest_interp(FLUX_MAG_RATIOS, steps)

    def forget(self) -> None:
        """Before another picture, or the same with other weights."""
        for manager in self._managers:
            manager.reset()

    def watching(self, denoise: Denoise) -> Denoise:
        """The same, with every step told to the cache."""

        def seen(latent: Tensor, timestep: Tensor) -> Tensor:
            if (level := float(timestep)) != self._level:
                self._index, self._level = self._index + 1, level
            self._latent = latent
            return denoise(latent, timestep)

        return seen

    @contextmanager
    def of(self, branch: str) -> Generator[None]:
        """One run of the denoiser, beside the earlier ones of this branch of the guidance.

        A run that fails has not been, and may be made again.
        """
        before = [_kept(manager) for manager in self._managers]
        counted = self.run, self._computed
        place = {
            "step_index": self._index,
            "num_inference_steps": self._steps,
            "sigma": (self._level or 0.0) / _LEVELS,
        }
        try:
            with self._denoiser.cache_context(branch, **place):
                for manager in self._managers:
                    if isinstance(state := manager.get_state(), MagCacheState):
                        state.step_index = self._index
                yield
        except BaseException:
            for manager, states in zip(self._managers, before, strict=True):
                manager._state_cache = states
            self.run, self._computed = counted
            raise

    def remove(self) -> None:
        """Leave the denoiser as it was."""
        self._handle.remove()
        self._fold()
        self._denoiser.disable_cache()

    def _config_of(self, name: str) -> Any:
        if name == FIRST_BLOCK:
            return FirstBlockCacheConfig(THRESHOLD)
        if name == MAG:
            return MagCacheConfig(LARGEST_CHANGE, mag_ratios=FLUX_MAG_RATIOS)
        if name == SEA:
            return SeaCacheConfig(SEEN_CHANGE, raw_vision_callback=self._shown)
        return TaylorSeerCacheConfig(
            INTERVAL, taylor_factors_dtype=torch.float32, use_lite_mode=True
        )

    def _shown(self, *arguments: Any) -> list[Tensor]:
        """What is painted, each [C, 1, h, w]."""
        assert self._latent is not None
        return list(self._latent[:, :, None])

    def _runs(self, *arguments: Any) -> None:
        self.run += 1

    def _computes(self) -> None:
        self._computed += 1


@contextmanager
def caching(denoiser: nn.Module, name: str = FIRST_BLOCK) -> Generator[StepCache | None]:
    """The denoiser with a cache for the length of a block; None where it has too few blocks."""
    network: Any = denoiser
    blocks: list[Any] = [
        block
        for name, many in network.named_children()
        if name in ("transformer_blocks", "single_transformer_blocks")
        for block in many
    ]
    if len(blocks) < 2:
        yield None
        return
    # Not yet in diffusers' own list; its blocks give back hidden states alone.
    registry: Any = TransformerBlockRegistry
    registry.register(
        QwenImage21TransformerBlock, TransformerBlockMetadata(return_hidden_states_index=0)
    )
    hooked = [*blocks, network, network.proj_out]
    cache = StepCache(denoiser, name, blocks[-1])
    try:
        yield cache
    finally:
        cache.remove()
        for module in hooked:
            _clear(module)


def _clear(module: Any) -> None:
    """Take off the method that diffusers leaves, in the way of whoever wraps the module's class."""
    left: Any = module.__dict__.get("forward")
    if getattr(left, "__func__", None) is module.__class__.forward:
        del module.forward


def _managers(denoiser: nn.Module) -> list[Any]:
    """What holds the states of all hooks, each once."""
    found: dict[int, Any] = {}
    for module in denoiser.modules():
        registry: Any = getattr(module, "_diffusers_hook", None)
        for hook in registry.hooks.values() if registry is not None else ():
            held: dict[str, Any] = hook.__dict__
            found |= {id(each): each for each in held.values() if isinstance(each, StateManager)}
    return list(found.values())


def _kept(manager: Any) -> dict[str, Any]:
    """The states of a manager as they are now; what they hold is replaced, and never changed."""
    return {name: _copied(state) for name, state in manager._state_cache.items()}


def _copied(state: Any) -> Any:
    kept = copy.copy(state)
    held: dict[str, Any] = state.__dict__
    for name, value in held.items():
        if isinstance(value, (list, dict)):
            setattr(kept, name, copy.copy(value))  # pyright: ignore[reportUnknownArgumentType]
    return kept


def _counted(block: Any, count: Callable[[], None]) -> Callable[[], None]:
    """Call `count` whenever a block under a cache is really run; returns what ends that."""
    (reference,) = (each for each in block._diffusers_hook._fn_refs if each.original_forward)
    plain = reference.original_forward

    def counting(*arguments: Any, **keywords: Any) -> Any:
        count()
        return plain(*arguments, **keywords)

    def end() -> None:
        reference.original_forward = plain

    reference.original_forward = counting
    return end
