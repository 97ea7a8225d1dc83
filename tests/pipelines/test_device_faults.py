"""What a card does in mid-job becomes a sentence, and the next job gets a fresh process."""

from __future__ import annotations

import pytest
import torch

from acetate.pipelines.device_faults import DeviceLost, KernelMissing, fault_of

LOST = (
    "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported",
    "HIP error: an illegal memory access was encountered",
    "CUDA error: the launch timed out and was terminated",
    "level_zero backend failed with error: 20 (UR_RESULT_ERROR_DEVICE_LOST)",
    "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
)
UNABLE = (
    "CUDA error: no kernel image is available for execution on the device",
    "The operator 'aten::upsample_bicubic2d' is not currently implemented for the MPS device.",
    "\"addmm_impl_cpu_\" not implemented for 'Float8_e4m3fn'",
)


@pytest.mark.parametrize("words", LOST)
def test_a_card_that_vanishes_is_one_sentence(words: str) -> None:
    fault = fault_of(RuntimeError(words), "cuda:0")
    assert isinstance(fault, DeviceLost) and fault.code == "device_lost"
    assert "cuda:0 stopped answering" in fault.message and "\n" not in fault.message
    assert words.splitlines()[0] in fault.message and "driver" in fault.hint


@pytest.mark.parametrize("words", UNABLE)
def test_what_a_card_cannot_do_is_one_sentence_with_a_cure(words: str) -> None:
    fault = fault_of(NotImplementedError(words), "mps")
    assert isinstance(fault, KernelMissing) and fault.code == "kernel_missing"
    assert "on mps" in fault.message and "acetate setup" in fault.hint


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes cannot be multiplied"),
        RuntimeError("CUDA error: out of memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(""),
    ],
)
def test_other_errors_are_none_of_the_cards(error: Exception) -> None:
    assert fault_of(error, "cuda:0") is None
