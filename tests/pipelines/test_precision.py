"""What each kind of card is asked for; cards that are not here are told of as torch would."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.pipelines.latent_preview import LatentPreview
from acetate.pipelines.memory_ladder import free_memory, release_memory
from acetate.pipelines.precision import chunk_for, home_for, pair_precision, precision
from acetate.pipelines.tiled_decoding import TILE, decode_in_tiles
from acetate.pipelines.weight_sizes import fits

GIB = 2**30


class Library:
    """`torch.cuda` (of NVIDIA or, by ROCm, of AMD) or `torch.xpu` with one card."""

    def __init__(self, free: int = 9 * GIB, bf16: bool = True, tells: bool = True) -> None:
        self.free, self.bf16, self.tells, self.emptied = free, bf16, tells, 0

    def is_bf16_supported(self) -> bool:
        return self.bf16

    def get_device_properties(self, device: Any) -> Any:
        return SimpleNamespace(name="A card", total_memory=12 * GIB)

    def mem_get_info(self, device: Any) -> tuple[int, int]:
        if not self.tells:
            raise RuntimeError("not for this device")
        return self.free, 12 * GIB

    def empty_cache(self) -> None:
        self.emptied += 1


@pytest.mark.parametrize("kind", ["cuda", "xpu"])
def test_cards_with_bf16_use_it_and_older_ones_keep_the_autoencoder_whole(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = torch.device(kind, 0)
    monkeypatch.setattr(torch, kind, Library())
    assert precision(device) == (torch.bfloat16, torch.bfloat16)
    monkeypatch.setattr(torch, kind, Library(bf16=False))
    assert precision(device) == (torch.float16, torch.float32)
    assert pair_precision(device) == (torch.float16, torch.float32)


def test_apples_graphics_keep_in_whole_numbers_what_overflows_in_half() -> None:
    assert precision(torch.device("mps")) == (torch.float16, torch.float32)
    assert pair_precision(torch.device("mps")) == (torch.float32, torch.float32)
    assert fits(10**15, torch.device("mps"))  # Its memory is the machine's, which swaps.


@pytest.mark.parametrize("kind", ["cuda", "xpu"])
def test_a_base_waits_outside_of_a_card_that_it_does_not_fit(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = torch.device(kind, 0)
    (tmp_path / "weights").write_bytes(bytes(1000))
    base = SimpleNamespace(weights=[tmp_path / "weights"])
    monkeypatch.setattr(torch, kind, Library(free=3 * GIB))
    assert home_for(base, device) == device
    monkeypatch.setattr(torch, kind, Library(free=2 * GIB))
    assert home_for(base, device) == torch.device("cpu")


@pytest.mark.parametrize("kind", ["cuda", "xpu"])
def test_as_many_passes_are_decoded_at_once_as_memory_takes(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = torch.device(kind, 0)
    monkeypatch.setattr(torch, kind, Library(free=20 * GIB))
    assert chunk_for(device) == 5 * 2**20
    monkeypatch.setattr(torch, kind, Library(free=GIB))
    assert chunk_for(device) == CHUNK_PIXELS == chunk_for(torch.device("cpu"))


def test_a_card_that_does_not_tell_what_is_free_is_taken_for_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = Library(tells=False)
    monkeypatch.setattr(torch, "xpu", library)
    assert free_memory(torch.device("xpu", 0)) == 12 * GIB
    release_memory(torch.device("xpu", 0))
    assert library.emptied == 1


def test_tiles_are_smaller_than_what_sdxl_was_trained_on() -> None:
    tiled: list[bool] = []
    vae = SimpleNamespace(
        enable_tiling=lambda: tiled.append(True),
        tile_sample_min_size=1024,
        tile_latent_min_size=128,
    )
    decode_in_tiles(vae, 8)
    assert tiled and (vae.tile_sample_min_size, vae.tile_latent_min_size) == (TILE, TILE // 8)


def test_a_preview_is_learnt_without_numbers_of_64_bits_on_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Apple's graphics have none: what is widened must be on the processor by then."""
    order: list[str] = []
    to_cpu, widen = torch.Tensor.cpu, torch.Tensor.double

    def cpu(tensor: torch.Tensor, *arguments: Any) -> torch.Tensor:
        order.append("cpu")
        return to_cpu(tensor, *arguments)

    def double(tensor: torch.Tensor, *arguments: Any) -> torch.Tensor:
        order.append("double")
        return widen(tensor, *arguments)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    monkeypatch.setattr(torch.Tensor, "double", double)
    latent = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    LatentPreview("sd15").learn(latent, torch.rand(1, 4, 48, 48))
    assert order[::2] == ["cpu"] * len(order[::2]) and "double" in order
