"""The nouns that travel between an editor, the server and the generator.

Everything here is a frozen dataclass of plain values, so that a request can be logged, stored,
replayed and compared without an editor, a socket or a tensor at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.naming import printable

WRITTEN_IF_SET = {"written_if_set": True}
"""Metadata of a field that is left out of plain values while it has its default."""

PixelFormat = Literal["rgba8", "rgba16"]

BYTES_PER_PIXEL: dict[PixelFormat, int] = {"rgba8": 4, "rgba16": 8}


class Role(str, Enum):
    """What a layer is to the scene that it belongs to."""

    FOREGROUND = "foreground"
    BACKGROUND = "background"
    BLENDED = "blended"


@dataclass(frozen=True)
class Image:
    """Straight-alpha sRGB pixels, row-major RGBA; 16-bit samples are little endian.

    Raises ValueError when the size is not positive or the data does not fill it exactly.
    """

    width: int
    height: int
    data: bytes = field(repr=False)
    format: PixelFormat = "rgba8"

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"an image needs a positive size, not {self.width} × {self.height}")
        need = self.width * self.height * BYTES_PER_PIXEL[self.format]
        if len(self.data) != need:
            raise ValueError(
                f"{self.width} × {self.height} {self.format} needs {need} bytes, "
                f"not {len(self.data)}"
            )


FillKind = Literal["fill", "expand", "remove"]
"""What a painter wants of a selection: what the prompt says; what the layer has not got there, the
rest kept; or no more than what is around it."""

ControlKind = Literal[
    "scribble", "lineart", "canny", "depth", "pose", "softedge", "tile", "segment", "reference"
]
"""What a control image shows: lines and maps to follow, or a picture of what is meant."""

Aspect = Literal["whole", "style", "composition"]
"""What of a reference is gone by: all of it, how it is painted, or what lies where."""


@dataclass(frozen=True)
class Control:
    """What to follow of an image of the request (see `following.followed`).

    `strength` lies between 0 (not at all) and 2 (1: as trained). `derived` says that the image is
    an ordinary sketch or picture, from which the map of this kind is still to be made. `model`
    names the control network; empty takes one that fits kind and model. `end` is the share of the
    noise levels after which it is followed no more (1: to the last). `aspect` is what of a
    reference is gone by; written only if it is not the whole.
    """

    kind: ControlKind
    strength: float = 1.0
    derived: bool = False
    model: str = ""
    end: float = 1.0
    aspect: Aspect = field(default="whole", metadata=WRITTEN_IF_SET)


@dataclass(frozen=True)
class Recipe:
    """Everything that reproduces one result, apart from its input images.

    `width` and `height` are the frame in pixels: the size that the model paints at.
    `layer_prompts` holds a prompt per role for modes that paint several layers at once.
    `strength` is the share of the denoising that is done (1 starts from pure noise).
    `passes` counts the flips and rotations whose median is the decoded layer (1, 2, 4 or 8;
    0: as many as suit the model).
    `stop_at` is the share of the noise levels after which the unpatched denoiser takes over
    (1: never; 0: where the authors advise it for the mode).
    `styles` holds the weight of each style, by the name that it was imported under.
    `layers` is how many a flat picture is split into.
    `keep_transparency` repaints colour alone: the alpha of the layer that is refined stays.
    `fill` says what a selection is painted for. `scale` is how many times a layer is enlarged.
    `controls` are what is followed beside `control`, each with an image of its own.
    `then` holds the prompts of layers that are painted one after another, after that of `prompt`.
    `preset` names what model, styles, words and numbers were taken from, for the reader alone.
    `files` is the SHA-256 of every file that was used; in a request they must be met (empty: any).
    `weights` is in how few bits the model's weights were kept ("8", "fp8" or "4"; empty: not
    reduced); a request that names them is painted so where the model can be. Written only if set.
    `cache` is the step cache (such as "first_block"; empty: none). Written only if set.
    """

    mode: str
    prompt: str = ""
    negative_prompt: str = ""
    layer_prompts: dict[str, str] = field(default_factory=dict[str, str])
    seed: int = 0
    steps: int = 20
    guidance: float = 3.0
    strength: float = 1.0
    width: int = 0
    height: int = 0
    passes: int = 8
    scheduler: str = ""
    stop_at: float = 1.0
    model: str = ""
    model_hash: str = ""
    inputs: dict[str, str] = field(default_factory=dict[str, str])
    software: str = ""
    styles: dict[str, float] = field(default_factory=dict[str, float])
    control: Control | None = None
    layers: int = 4
    files: dict[str, str] = field(default_factory=dict[str, str])
    keep_transparency: bool = False
    fill: FillKind = "fill"
    scale: int = 2
    controls: list[Control] = field(default_factory=list[Control])
    then: list[str] = field(default_factory=list[str])
    preset: str = ""
    weights: str = field(default="", metadata=WRITTEN_IF_SET)
    cache: str = field(default="", metadata=WRITTEN_IF_SET)

    def __post_init__(self) -> None:
        """Strip control characters from the prompts: no document could be saved with them."""
        for name in ("prompt", "negative_prompt"):
            object.__setattr__(self, name, printable(getattr(self, name)))
        clean = {role: printable(text) for role, text in self.layer_prompts.items()}
        object.__setattr__(self, "layer_prompts", clean)
        object.__setattr__(self, "then", [printable(text) for text in self.then])


@dataclass(frozen=True)
class Layer:
    """Pixels with a place in the document, a name and a role.

    `x` and `y` are the document coordinates of the top left pixel and may be negative.
    """

    image: Image
    role: Role = Role.FOREGROUND
    name: str = ""
    x: int = 0
    y: int = 0
    recipe: Recipe | None = None


@dataclass(frozen=True)
class Request:
    """A recipe with the images it works on, by the name that its mode gives them.

    `variants` asks for that many results; variant `i` is painted with `recipe.seed + i`
    (past the largest seed they go on from 0, see `seeds.variant_seed`).
    With a `frame` the images show its canvas (in document pixels, or already at the frame's
    size), and the layers come back as the frame's region, at its place in the document.
    """

    recipe: Recipe
    images: dict[str, Image] = field(default_factory=dict[str, Image])
    variants: int = 1
    pixel_format: PixelFormat = "rgba8"
    frame: Frame | None = None
