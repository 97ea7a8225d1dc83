"""What a painting begins from where the pictures at hand say much already: estimates by rule.

Pictures are float tensors [1, 3 or 4, H, W] in [0, 1], RGBA with straight alpha.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from acetate.embedded.recolour import aged, recolour
from acetate.embedded.words import take_apart
from acetate.latent_transparency import pad_colour

CERTAIN_DIFFERENCE = 0.16
"""A pixel that differs that much from the background belongs to what stands in front of it."""


def lifted(picture: Tensor, background: Tensor) -> Tensor:
    """The layer that makes this picture of this background, both RGB; returns RGBA."""
    difference = (picture - background).abs().amax(1, keepdim=True)
    solid = _closed((difference > CERTAIN_DIFFERENCE).float())
    alpha = torch.maximum(
        solid, (difference / CERTAIN_DIFFERENCE - 0.25).clamp(0, 1) * _near(solid)
    )
    colour = (picture - (1 - alpha) * background) / alpha.clamp_min(0.1)
    return _with_padded_colour(colour.clamp(0, 1), alpha)


def uncovered(picture: Tensor, layer: Tensor) -> Tensor:
    """The picture without the layer in front, RGB: what it hides is continued from around it."""
    alpha = layer[:, 3:]
    seen = (picture - alpha * layer[:, :3]) / (1 - alpha).clamp_min(0.2)
    known = (_near(alpha) < 0.5).float()
    return pad_colour(torch.cat([seen.clamp(0, 1), known], dim=1))


def split(picture: Tensor) -> Tensor:
    """The thing in front in a flat RGB picture, RGBA: what the rows around do not explain."""
    background = _from_the_sides(picture)
    for _ in range(2):
        difference = (picture - background).abs().amax(1, keepdim=True)
        free = (_near((difference > CERTAIN_DIFFERENCE).float()) < 0.5).float()
        background = pad_colour(torch.cat([picture, free], dim=1))
    return _largest(lifted(picture, background))


def filled_in(lines: Tensor, drawing: Tensor) -> Tensor:
    """A drawing brought into the outline of a sketch (light lines on black, RGB); RGBA."""
    inside = _inside(lines[0].amax(0).cpu().numpy())
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if len(rows) == 0:
        return drawing
    rgba = (drawing[0].permute(1, 2, 0).cpu().numpy() * 255 + 0.5).astype(np.uint8)
    picture = Image.fromarray(rgba).convert("RGBa")
    box = picture.getchannel("a").getbbox()
    picture = picture.crop(box) if box else picture
    top, left = int(rows[0]), int(columns[0])
    place = (int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
    frame = Image.new("RGBa", inside.shape[::-1])
    frame.paste(picture.resize(place, Image.Resampling.LANCZOS), (left, top))
    moved = torch.as_tensor(np.array(frame.convert("RGBA"))).permute(2, 0, 1)[None] / 255
    return _with_padded_colour(moved[:, :3], torch.as_tensor(inside)[None, None].float(), moved)


def in_words(picture: Tensor, prompt: str) -> Tensor | None:
    """A layer [1, 4, H, W] in the colour that a prompt names; None where it names none."""
    said = take_apart(prompt)
    if picture.shape[1] != 4 or not (said.colour or said.aged):
        return None
    pixels = (picture[0].permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
    if said.colour:
        painted = recolour(pixels, said.colour)
        pixels = pixels if painted is None else painted
    if said.aged:
        pixels = aged(pixels)
    return torch.as_tensor(pixels).permute(2, 0, 1)[None].float() / 255


def _inside(lines: np.ndarray) -> np.ndarray:
    """What the lines enclose, bool [H, W]; small gaps in them are closed."""
    drawn = Image.fromarray(((lines > 0.35) * 255).astype(np.uint8))
    closed = drawn.filter(ImageFilter.MaxFilter(9))
    framed = Image.new("L", (closed.width + 2, closed.height + 2))
    framed.paste(closed, (1, 1))
    ImageDraw.floodfill(framed, (0, 0), 128)
    inside = framed.point([0 if value == 128 else 255 for value in range(256)]).crop(
        (1, 1, closed.width + 1, closed.height + 1)
    )
    return np.asarray(inside.filter(ImageFilter.MinFilter(7))) > 127


def _from_the_sides(picture: Tensor) -> Tensor:
    """A background between the left and the right edge of every row."""
    width = picture.shape[-1]
    edge = max(1, width // 24)
    left = picture[..., :edge].mean(-1, keepdim=True)
    right = picture[..., -edge:].mean(-1, keepdim=True)
    share = torch.linspace(0, 1, width, device=picture.device)
    return left * (1 - share) + right * share


def _largest(layer: Tensor) -> Tensor:
    """The layer without specks: what is left after opening, and what touches it."""
    alpha = layer[:, 3:]
    core = -max_pool2d(-(alpha > 0.5).float(), 7, 1, 3)
    for _ in range(24):
        core = max_pool2d(core, 5, 1, 2) * (alpha > 0.05)
    return torch.cat([layer[:, :3], alpha * core], dim=1)


def _closed(mask: Tensor) -> Tensor:
    """A mask with its holes of a few pixels closed and single pixels removed."""
    grown = max_pool2d(mask, 5, 1, 2)
    shrunk = -max_pool2d(-grown, 5, 1, 2)
    return (avg_pool2d(shrunk, 3, 1, 1) > 0.5).float()


def _near(mask: Tensor) -> Tensor:
    return max_pool2d(mask, 7, 1, 3)


def _with_padded_colour(colour: Tensor, alpha: Tensor, known: Tensor | None = None) -> Tensor:
    """RGBA whose colour goes on where the layer cannot be seen."""
    source = torch.cat([colour, alpha], dim=1) if known is None else known
    return torch.cat([pad_colour(source), alpha], dim=1)
