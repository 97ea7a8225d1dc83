"""Faster denoisers where a person asks for it, and the plain way as soon as that fails.

`ACETATE_COMPILE=1` compiles the blocks of which a denoiser has many, each kind once (regional
compilation); what was compiled is kept on the disk between runs. A worker compiles between two jobs
and never in one (`workers/warming.py`). `ACETATE_ATTENTION` names one of diffusers' attention
backends. Both change the rounding of results, so neither is on by itself.

CUDA graphs (torch's mode `reduce-overhead`) are no choice here: blocks that are compiled one by one
would record a graph each, into memory that the next replay overwrites, while step caches and the
skip connections of U-Nets still hold what came out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import torch
from torch import nn

from acetate.models.weights import in_channels_last
from acetate.pipelines.memory_ladder import is_out_of_memory

log = logging.getLogger("acetate.pipelines")

COMPILE = "ACETATE_COMPILE"
ATTENTION = "ACETATE_ATTENTION"
_CARDS = ("cuda", "xpu")
_MOST_FORMS = 64
"""Of one kind of block that are compiled: widths of a U-Net, with and without guidance, patches."""


def compiling() -> bool:
    """Whether somebody wants blocks to be compiled."""
    return os.environ.get(COMPILE) == "1"


@contextmanager
def as_far_as_compiled() -> Generator[None]:
    """In this block nothing is compiled: what is not ready runs the plain way, without a wait."""
    if not compiling():
        yield
        return
    with cast("Any", torch.compiler).set_stance("eager_on_recompile"):
        yield


_check: ContextVar[Callable[[], None]] = ContextVar("check", default=lambda: None)


@contextmanager
def checking(check: Callable[[], None]) -> Generator[None]:
    """In this block `check` is called before each compiled block of a network, and may raise."""
    before = _check.set(check)
    try:
        yield
    finally:
        _check.reset(before)


def accelerate(denoiser: nn.Module, device: torch.device) -> CompileState | None:
    """What makes this denoiser faster on a device, as far as it is wanted and goes there.

    Returns how compiling its blocks goes, where they are to be compiled.
    """
    if device.type in _CARDS and hasattr(denoiser, "down_blocks"):
        in_channels_last(denoiser)  # Convolutions of half precision are laid out so on cards.
    if backend := os.environ.get(ATTENTION):
        choose_attention(denoiser, backend)
    return compile_blocks(denoiser) if compiling() else None


def choose_attention(denoiser: nn.Module, backend: str) -> bool:
    """Compute attention by one of diffusers' backends; whether this denoiser and machine can."""
    try:
        cast("Any", denoiser).set_attention_backend(backend)
    except (AttributeError, ValueError, RuntimeError, ImportError, NotImplementedError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        log.warning("attention is computed as usual, not by %s: %s", backend[:40], reason)
        return False
    return True


def compile_blocks(network: nn.Module) -> CompileState | None:
    """Compile the blocks that the network has many of. Those of a kind share what is compiled.

    None where it has no such blocks.
    """
    kinds = set(cast("list[str]", getattr(network, "_repeated_blocks", None) or []))
    found = [module for module in network.modules() if type(module).__name__ in kinds]
    if not found:
        return None
    cast("Any", torch)._dynamo.config.recompile_limit = _MOST_FORMS
    state = CompileState()
    for module in found:
        module.forward = CompiledBlock(module.forward, state)
    return state


class CompileState:
    """Whether compiling has failed in a network: then all of its blocks go the plain way."""

    def __init__(self) -> None:
        self.failed = False


class CompiledBlock:
    """A block's `forward`, compiled at its first call and anew for each new shape.

    Sides of pictures are multiples of 64: there are few shapes, and a second is compiled for all.
    """

    def __init__(self, plain: Callable[..., Any], state: CompileState) -> None:
        self._plain = plain
        self._state = state
        self._fast: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        _check.get()()
        if self._state.failed:
            return self._plain(*arguments, **keywords)
        try:
            if self._fast is None:
                self._fast = cast("Any", torch).compile(self._plain)
            return cast("Any", self._fast)(*arguments, **keywords)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            if not self._state.failed:
                self._state.failed = True
                reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
                log.warning("blocks run uncompiled, as compiling failed: %s", reason)
        # Outside of the handler; an error of the block itself comes from here once more.
        return self._plain(*arguments, **keywords)
