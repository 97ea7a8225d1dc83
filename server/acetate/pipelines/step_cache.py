"""Skipping most of a step where its first block says that little would change: faster, with a loss.

The first-block cache of diffusers: where what the first block of a transformer adds differs by less
than a share from what it added when all blocks were last run, what the others added then is added
again. Which steps are skipped follows from the recipe alone, so a picture can be painted again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.hooks.first_block_cache import FirstBlockCacheConfig
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21TransformerBlock
from torch import nn

THRESHOLD = 0.08
"""Largest share by which the first block may differ from what it was."""

_HOOK = "fbc_leader_block_hook"


class StepCache:
    """The cache of one painting; `run` and `skipped` count runs of the denoiser."""

    def __init__(self, denoiser: nn.Module) -> None:
        self._denoiser: Any = denoiser
        hook = _first_hook(denoiser)
        self._states: Any = hook.state_manager
        self._look: Callable[..., bool] = hook._should_compute_remaining_blocks
        hook._should_compute_remaining_blocks = self._count
        self.run = 0
        self.skipped = 0

    def forget(self) -> None:
        """Before another picture, or the same with other weights."""
        self._states.reset()

    @contextmanager
    def of(self, branch: str) -> Generator[None]:
        """One run of the denoiser, beside the earlier ones of this branch of the guidance.

        A run that fails has not been, and may be made again.
        """
        before = {name: copy.copy(state) for name, state in self._states._state_cache.items()}
        counted = self.run, self.skipped
        try:
            with self._denoiser.cache_context(branch):
                yield
        except BaseException:
            self._states._state_cache = before
            self.run, self.skipped = counted
            raise

    def _count(self, *arguments: Any) -> bool:
        needed = self._look(*arguments)
        self.run += 1
        self.skipped += not needed
        return needed


@contextmanager
def caching(denoiser: nn.Module) -> Generator[StepCache | None]:
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
    network.enable_cache(FirstBlockCacheConfig(THRESHOLD))
    try:
        yield StepCache(denoiser)
    finally:
        network.disable_cache()
        for block in blocks:
            _clear(block)


def _clear(block: Any) -> None:
    """Take off the method that diffusers leaves, in the way of whoever wraps the block's class."""
    left: Any = block.__dict__.get("forward")
    if getattr(left, "__func__", None) is block.__class__.forward:
        del block.forward


def _first_hook(denoiser: nn.Module) -> Any:
    hooks: Any = (getattr(module, "_diffusers_hook", None) for module in denoiser.modules())
    found = (each.get_hook(_HOOK) for each in hooks if each is not None)
    return next(hook for hook in found if hook is not None)
