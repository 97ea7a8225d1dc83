"""A layer that was cut out badly gets back the colours of what is in front."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from acetate.images import foreground_colour
from acetate.images.foreground_colour import front_colour
from acetate.images.tensors import bleed
from tests.support.drawings import drawings
from tests.support.halo import BACKDROPS

pytestmark = pytest.mark.matrix

LOST = ("kept", "zeroed", "bled")
"""What became of the colour that the cut-out hides."""


def cut_out_badly(drawing: Tensor, behind: tuple[float, float, float], hidden: str) -> Tensor:
    """The drawing with the colours that its edge has in front of a backdrop, in 8 bits."""
    alpha = drawing[:, 3:]
    shown = drawing[:, :3] * alpha + torch.tensor(behind)[None, :, None, None] * (1 - alpha)
    if hidden == "zeroed":
        shown = torch.where(alpha > 0, shown, 0.0)
    if hidden == "bled":
        shown = bleed(torch.cat([shown, alpha], dim=1))[:, :3]
    return torch.cat([(shown * 255).round() / 255, alpha], dim=1)


def edge_error(colour: Tensor, drawing: Tensor) -> float:
    """Mean absolute error of the premultiplied colour where the drawing is half transparent."""
    alpha = drawing[:, 3:]
    wrong = ((colour - drawing[:, :3]).abs() * alpha).mean(dim=1, keepdim=True)
    return float(wrong[(alpha > 0) & (alpha < 1)].mean())


@pytest.mark.parametrize("hidden", LOST)
@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_two_thirds_of_a_halo_are_gone(backdrop: str, hidden: str) -> None:
    before = after = 0.0
    for drawing in drawings(8):
        layer = cut_out_badly(drawing, BACKDROPS[backdrop], hidden)
        before += edge_error(layer[:, :3], drawing)
        after += edge_error(front_colour(layer), drawing)
    assert after < before / 3, f"{after / before:.0%} of the halo is left"


def test_a_layer_without_a_halo_stays_nearly_as_it_is() -> None:
    bled, zeroed = 0.0, 0.0
    for drawing in drawings(8, seed=1):
        bled += edge_error(front_colour(bleed(drawing)), drawing) / 8
        emptied = torch.where(drawing[:, 3:] > 0, drawing, 0.0)
        zeroed += edge_error(front_colour(emptied), drawing) / 8
    assert bled < 0.01 and zeroed < 0.02


def test_solid_pixels_keep_their_colour_to_the_last_bit() -> None:
    (drawing,) = drawings(1)
    noise = torch.rand(drawing.shape, generator=torch.Generator().manual_seed(3))
    layer = torch.cat([noise[:, :3], drawing[:, 3:]], dim=1)
    solid = (layer[:, 3:] == 1).expand(-1, 3, -1, -1)
    assert solid.any()
    assert torch.equal(front_colour(layer)[solid], layer[:, :3][solid])


def test_a_veil_without_anything_solid_keeps_its_colour() -> None:
    veil = torch.full((1, 4, 40, 60), 0.5)
    veil[:, 0] = torch.linspace(0.2, 0.4, 60)
    assert (front_colour(veil) - veil[:, :3]).abs().max() < 0.02


def test_bands_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    (drawing,) = drawings(1)
    layer = cut_out_badly(drawing, (1.0, 0.0, 1.0), "zeroed")
    whole = front_colour(layer)
    monkeypatch.setattr(foreground_colour, "_BAND", 50)
    assert (front_colour(layer) - whole).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 2)])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_layers_of_any_size_and_alpha_give_colours(size: tuple[int, int], alpha: float) -> None:
    layer = torch.full((1, 4, *size), 0.25)
    layer[:, 3] = alpha
    colour = front_colour(layer)
    assert colour.shape == (1, 3, *size)
    assert (colour - 0.25).abs().max() < 1e-4
