"""Cards of every maker are found and named, as torch would tell of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from acetate.errors import BadRequest, DeviceMissing
from acetate.models.device_names import check_name
from acetate.models.devices import Card, available_devices, card_of, pick_device


class Library:
    """`torch.cuda` or `torch.xpu` with one card."""

    def __init__(self, name: str, tells_free: bool = True) -> None:
        self._name, self._tells_free = name, tells_free

    def is_available(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def get_device_properties(self, device: Any) -> Any:
        return SimpleNamespace(name=self._name, total_memory=12 * 2**30)

    def mem_get_info(self, device: Any) -> tuple[int, int]:
        if not self._tells_free:
            raise RuntimeError("not for this device")
        return 9 * 2**30, 12 * 2**30


class Gone(Library):
    """A driver that has lost its card."""

    def get_device_properties(self, device: Any) -> Any:
        raise RuntimeError("CUDA driver error: unknown error")


@pytest.mark.parametrize("kind", ["cuda", "xpu"])
def test_a_card_is_named_with_its_free_memory(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, kind, Library("A card of 12 GB"))
    assert f"{kind}:0" in available_devices()
    card = card_of(f"{kind}:0")
    assert card == Card(f"{kind}:0", "A card of 12 GB", 12 * 2**30, 9 * 2**30)
    assert pick_device("auto").type == kind
    assert pick_device(kind).type == kind


def test_a_card_that_does_not_tell_what_is_free_is_named_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "xpu", Library("Arc", tells_free=False))
    assert card_of("xpu:0") == Card("xpu:0", "Arc", 12 * 2**30, 0)


def test_a_card_whose_driver_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "cuda", Gone("lost"))
    assert card_of("cuda:0") == Card("cuda:0", "its driver does not answer")


def test_the_processor_and_apples_graphics_have_no_figures() -> None:
    assert card_of("cpu") == Card("cpu") and card_of("mps") == Card("mps")


def test_what_is_no_device_or_not_here_is_said() -> None:
    with pytest.raises(BadRequest, match=r"auto, cpu, cuda \(or cuda:1\), xpu or mps"):
        pick_device("gpu")
    with pytest.raises(DeviceMissing, match="cannot paint on “xpu:7”"):
        pick_device("xpu:7")


@pytest.mark.parametrize("name", ["directml", "DirectML", "dml:0", "privateuseone"])
def test_whoever_asks_for_directml_is_told_what_there_is_instead(name: str) -> None:
    with pytest.raises(BadRequest, match="torch does not bring DirectML") as early:
        check_name(name)
    assert "ROCm" in early.value.hint and "xpu" in early.value.hint
    with pytest.raises(BadRequest) as late:
        pick_device(name)
    assert isinstance(late.value, BadRequest)
