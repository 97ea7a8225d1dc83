"""What a graphics card or its driver does in mid-job, told in a sentence.

After a fault of a card every later call into it fails, too, in the same process; so what is lost is
told apart from what the card cannot do.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from acetate.errors import AcetateError
from acetate.models.devices import pick_device
from acetate.pipelines.memory_ladder import is_out_of_memory, out_of_memory

_LOST = (
    "CUDA error",
    "HIP error",
    "cuDNN error",
    "CUDNN_STATUS",
    "CUBLAS_STATUS",
    "driver shutting down",
    "DEVICE_LOST",
    "device lost",
    "device is lost",
    "device has been removed",
    "device removed",
    "command buffer exited with error",
)
_UNABLE = (
    "no kernel image",
    "unable to find an engine",
    "not currently implemented for the",
    "not currently supported on the",
    "not implemented for '",
    "Could not run '",
    "is not supported on this device",
    "doesn't support float64",
)


class DeviceLost(AcetateError):
    """The card does not answer any more; a fresh process may have it back."""

    code = "device_lost"


class KernelMissing(AcetateError):
    """The card, or this build of torch, cannot do an operation that a model needs."""

    code = "kernel_missing"


@contextmanager
def told(device: str) -> Generator[None]:
    """What the device of that name does in the block is raised as a sentence.

    That is DeviceLost, KernelMissing, or OutOfMemory where no ladder was climbed; any other error
    stays what it is.
    """
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise out_of_memory(pick_device(device), str(error)) from error
        if (fault := fault_of(error, device)) is None:
            raise
        raise fault from error


def fault_of(error: BaseException, device: str) -> AcetateError | None:
    """The sentence for an error of torch that is a card's; None for any other."""
    words = str(error)
    if is_out_of_memory(error) or "out of memory" in words:
        return None
    if any(sign in words for sign in _UNABLE):
        return KernelMissing(
            f"The torch that is installed cannot do this on {device}: {_first_line(words)}",
            "`acetate setup` fetches the torch that suits the card; --device cpu does without it.",
        )
    if any(sign in words for sign in _LOST):
        return DeviceLost(
            f"The graphics card {device} stopped answering while it painted: {_first_line(words)}",
            "It is started afresh for the next job; if that fails, too, look at the card's driver.",
        )
    return None


def _first_line(words: str) -> str:
    line = words.strip().splitlines()[0][:160]
    return line if line.endswith(".") else f"{line}."
