"""What is given up when memory runs out, one rung after the other, and the same call tried again.

The rungs are each family's own (`stable_diffusion.py`, `offloaded_pipeline.py`,
`embedded/pipeline.py`): what is only remembered is freed, decoding goes by pieces, parts leave the
device, batches become smaller. When all of that is not enough, an error says what was needed and
what there is. Every verb of a pipeline is tried again by itself, so that nothing that
is already painted is lost.
"""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import psutil
import torch

from acetate.errors import AcetateError
from acetate.models.devices import card_memory, card_of

T = TypeVar("T")
P = ParamSpec("P")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_TRIED = re.compile(r"allocate ([\d.]+) (bytes|KiB|MiB|GiB)")
_ELSEWHERE = (
    "can't allocate memory",
    "MPS backend out of memory",
    "not enough memory",
    # Of drivers and libraries, where another program took what torch had not taken yet.
    "CUDA error: out of memory",
    "HIP error: out of memory",
    "OUT_OF_DEVICE_MEMORY",
    "BLAS_STATUS_ALLOC_FAILED",
    "rocblas_status_memory_error",
    "CUDNN_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
)
_NOTEWORTHY = 15 * 10**8
"""Bytes that others hold, below which it is the desktop, and what a driver takes for itself."""


class OutOfMemory(AcetateError):
    """A model does not fit, or a painting with it, whatever is given up."""

    code = "out_of_memory"


@dataclass(frozen=True)
class Rung:
    """`relieve` gives something up and says whether there was any; `sentence` is for people."""

    sentence: str
    relieve: Callable[[], bool]


class Ladder:
    """The rungs of one pipeline, climbed for one painting at a time."""

    def __init__(self, device: torch.device, rungs: Sequence[Rung]) -> None:
        self._device = device
        self._rungs = list(rungs)
        self._climbed = 0
        self._waits = False
        self.scarce = False
        """Whether memory has run out in the painting of the moment."""
        self.standing = ""
        """What is done differently for as long as the model is loaded; told at every painting."""
        self.on_relief: Callable[[str], None] | None = None
        """Gets the sentence of each rung that is climbed, and whatever else is done differently."""
        self.release: Callable[[], bool] | None = None
        """Lets other models in memory go; belongs to the first rung, which frees."""

    def tell(self, sentence: str) -> None:
        """Say what is done differently than asked, to whoever listens."""
        if self.on_relief is not None:
            self.on_relief(sentence)

    def begin(self) -> None:
        """A new painting starts at the bottom."""
        self._climbed = 0
        self.scarce = False
        if self.standing:
            self.tell(self.standing)

    def attempt(self, call: Callable[[], T]) -> T:
        """The result of a call that has no effect but its result. Raises OutOfMemory."""
        while True:
            try:
                return call()
            except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
                if self._waits or not is_out_of_memory(error):
                    raise
                words = str(error)
            # Outside of the handler, whose error still holds on to the tensors of the call.
            self._climb(words)

    def rather(self, call: Callable[[], T], sentence: str) -> T | None:
        """The result of a call; None, said with this sentence, where memory runs out in it.

        No rung is climbed for it: there is another way to the same result.
        """
        before, self._waits = self._waits, True
        try:
            return call()
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        finally:
            self._waits = before
        self.scarce = True
        release_memory(self._device)
        self.tell(sentence)
        return None

    def _climb(self, words: str) -> None:
        self.scarce = True
        while self._climbed < len(self._rungs):
            rung = self._rungs[self._climbed]
            self._climbed += 1
            first = self._climbed == 1
            released = first and self.release is not None and self.release()
            if rung.relieve() or released:
                release_memory(self._device)
                self.tell(rung.sentence)
                return
        raise out_of_memory(self._device, words)


class Eased(Protocol):
    """Has a ladder."""

    ladder: Ladder


Self = TypeVar("Self", bound=Eased)


def eased(verb: Callable[Concatenate[Self, P], T]) -> Callable[Concatenate[Self, P], T]:
    """A method that is tried again on the next rung when memory runs out."""

    @functools.wraps(verb)
    def inner(self: Self, *arguments: P.args, **keywords: P.kwargs) -> T:
        return self.ladder.attempt(lambda: verb(self, *arguments, **keywords))

    return inner


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device, or the machine, has no memory left."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return any(words in str(error) for words in _ELSEWHERE)


def release_memory(device: torch.device) -> None:
    """Give back what nothing refers to any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "xpu":
        torch.xpu.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had on a device, with those that torch keeps there unused."""
    if device.type == "cuda":
        reserved, used = _taken(device)
        return torch.cuda.mem_get_info(device)[0] + reserved - used
    if device.type == "xpu":
        reserved, used = _taken(device)
        free = card_of(str(device)).free
        return free + reserved - used if free else card_memory(device)
    return psutil.virtual_memory().available


def held_by_others(device: torch.device) -> int:
    """Bytes of a card that other programs, and its driver, hold; 0 where it does not tell."""
    card = card_of(str(device))
    return max(0, card.total - card.free - _taken(device)[0]) if card.free else 0


def _taken(device: torch.device) -> tuple[int, int]:
    """Bytes of a card that this process has taken, and those of them that are in use."""
    # Not all torches tell, and none of a declared type.
    library = cast("Any", torch.xpu if device.type == "xpu" else torch.cuda)
    try:
        return int(library.memory_reserved(device)), int(library.memory_allocated(device))
    except (RuntimeError, AssertionError, AttributeError):
        return 0, 0


def out_of_memory(device: torch.device, words: str) -> OutOfMemory:
    """The error, with need and have in it where the allocator has said them."""
    have, others = free_memory(device), held_by_others(device)
    match = _TRIED.search(words)
    need = f" {_gigabytes(float(match[1]) * _UNITS[match[2]])} more" if match else " more"
    said = f"Memory ran out on {device}: the painting needs{need}, and {_gigabytes(have)} are free"
    if others < _NOTEWORTHY:
        return OutOfMemory(
            f"{said}.",
            "Paint smaller, take a smaller model, or close other programs that use the device.",
        )
    return OutOfMemory(
        f"{said}: other programs hold {_gigabytes(others)} of it.",
        "Close what uses the card, such as a game or a second Acetate, and try again; "
        "or paint smaller, or take a smaller model.",
    )


def _gigabytes(amount: float) -> str:
    return f"{amount / 1e9:.1f} GB" if amount >= 5e7 else f"{amount / 1e6:.1f} MB"
