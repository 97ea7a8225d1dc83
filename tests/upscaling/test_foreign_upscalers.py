"""Upscalers of others: read by any of their names, and run in tiles that leave no seam."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from acetate.models.identify import recognise
from acetate.models.recognition_error import NotRecognised
from acetate.upscaling.enlarging import enlarge
from acetate.upscaling.foreign_upscalers import read_upscaler
from acetate.upscaling.network import load_upscaler
from tests.support.tiny_upscalers import LAYOUTS, in_layout, tiny_compact, tiny_dense


def picture(height: int = 21, width: int = 30, channels: int = 3) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(1))


def kind(state: dict[str, Tensor]) -> tuple[str, tuple[str, ...]]:
    found = recognise({name: tuple(tensor.shape) for name, tensor in state.items()}, "a.pth")
    return found.role, found.families


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("doublings", "scale"), [(1, 2), (2, 4)])
def test_all_names_of_one_network_are_one_network(layout: str, doublings: int, scale: int) -> None:
    state = tiny_dense(doublings)
    named = in_layout(state, layout)
    assert kind(named) == ("upscaler", ("upscaler",))
    new, other = (read_upscaler(each, "a.pth") for each in (state, named))
    assert new.scale == other.scale == scale
    with torch.inference_mode():
        enlarged = new.network(picture())
        assert enlarged.shape == (1, 3, 21 * scale, 30 * scale)
        assert torch.equal(enlarged, other.network(picture()))


@pytest.mark.parametrize("wrapping", ["params_ema.", "params.", "module."])
def test_what_a_trainer_wraps_it_in_is_taken_off(wrapping: str) -> None:
    state = {f"{wrapping}{name}": tensor for name, tensor in tiny_dense().items()}
    assert kind(state)[0] == "upscaler"
    assert read_upscaler(state, "a.pth").scale == 4


def test_averaged_weights_come_before_the_others() -> None:
    averaged, last = tiny_dense(), {name: -tensor for name, tensor in tiny_dense().items()}
    both = {f"params.{name}": tensor for name, tensor in last.items()}
    both |= {f"params_ema.{name}": tensor for name, tensor in averaged.items()}
    with torch.inference_mode():
        found, wanted = (read_upscaler(each, "a").network(picture()) for each in (both, averaged))
    assert torch.equal(found, wanted)


@pytest.mark.parametrize(("height", "width"), [(20, 30), (21, 31)])
def test_a_folded_one_enlarges_any_size(height: int, width: int) -> None:
    state = tiny_dense(doublings=2, folded=2)
    assert kind(state)[0] == "upscaler"
    found = read_upscaler(state, "a.pth")
    assert found.scale == 2
    with torch.inference_mode():
        enlarged = found.network(picture(height, width))
    assert enlarged.shape == (1, 3, 2 * height, 2 * width)


def test_the_network_that_ships_is_read_as_any_other() -> None:
    shipped = load_upscaler(4, torch.device("cpu"))
    found = read_upscaler(shipped.state_dict(), "realesr-animevideov3.pth")
    assert (found.scale, found.reach) == (4, 20)
    with torch.inference_mode():
        assert torch.equal(found.network(picture()), shipped(picture()))


@pytest.mark.parametrize("state", [tiny_dense, tiny_compact])
@pytest.mark.parametrize("scale", [2, 4])
def test_tiles_leave_no_seam(state: Callable[[], dict[str, Tensor]], scale: int) -> None:
    upscaler = read_upscaler(state(), "a.pth")
    layer = picture(70, 90, 4)
    whole, tiled = (enlarge(layer, scale, tile=tile, upscaler=upscaler) for tile in (128, 32))
    assert whole.shape == (1, 4, 70 * scale, 90 * scale)
    assert (whole - tiled).abs().max() < 1e-5


@pytest.mark.parametrize("lacking", ["conv_up2.weight", "body.1.rdb2.conv3.bias", "conv_last.bias"])
def test_a_torn_file_is_named(lacking: str) -> None:
    state = tiny_dense()
    del state[lacking]
    with pytest.raises(NotRecognised, match=r"torn\.pth is an upscaler"):
        read_upscaler(state, "torn.pth")
