"""Runs inside GIMP, in the agent: calling procedures and reading what came of them."""

# pyright: reportMissingImports=false
from __future__ import annotations

import base64
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

from acetate_bridge.protocol.types import PixelFormat  # noqa: E402
from panel_socket import ask_panel  # noqa: E402
from tests.editors import contract_pictures  # noqa: E402

PRECISIONS = {
    "u8": Gimp.Precision.U8_NON_LINEAR,
    "u16": Gimp.Precision.U16_NON_LINEAR,
    "half": Gimp.Precision.HALF_NON_LINEAR,
    "float": Gimp.Precision.FLOAT_NON_LINEAR,
    "float-linear": Gimp.Precision.FLOAT_LINEAR,
}


def new_image(
    width: int, height: int, precision: str = "u8", colour: str = "rgb", adobe: bool = False
) -> Gimp.Image:
    """An image without a layer and without a window."""
    base = Gimp.ImageBaseType.GRAY if colour == "gray" else Gimp.ImageBaseType.RGB
    image = Gimp.Image.new_with_precision(width, height, base, PRECISIONS[precision])
    if adobe:
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    if colour == "indexed":
        none, web = Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB
        image.convert_indexed(none, web, 255, False, False, "")
    return image


def add_paper(image: Gimp.Image, name: str = "Paper", group: Any = None) -> Gimp.Layer:
    """A white layer over the whole canvas, on top."""
    width, height = image.get_width(), image.get_height()
    kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, name, width, height, kind, 100.0, mode)
    layer.fill(Gimp.FillType.WHITE)
    image.insert_layer(layer, group, 0)
    image.set_selected_layers([layer])
    return layer


def add_picture(
    image: Gimp.Image,
    name: str,
    x: int,
    y: int,
    width: int,
    height: int,
    depth: str = "u8",
    group: Any = None,
    solid: tuple[int, int, int, int] | None = None,
) -> Gimp.Layer:
    """A layer on top with every channel different and all alphas, or in one colour (`u8`)."""
    pixel_format: PixelFormat = "rgba8" if depth == "u8" else "rgba16"
    picture = (
        contract_pictures.solid(width, height, *solid)
        if solid is not None
        else contract_pictures.picture(width, height, pixel_format)
    )
    kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, name, width, height, kind, 100.0, mode)
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), f"R'G'B'A {depth}", picture.data)
    buffer.flush()
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)
    image.insert_layer(layer, group, 0)
    layer.set_offsets(x, y)
    image.set_selected_layers([layer])
    return layer


def call(name: str, image: Gimp.Image, layers: list[Gimp.Layer], **options: Any) -> Any:
    """The new layers' ids, or the sentence of an error."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("image", image)
    if layers:
        config.set_core_object_array("drawables", layers)
    for key, value in options.items():
        config.set_property(key.replace("_", "-"), value)
    result = procedure.run(config)
    if result.index(0) != Gimp.PDBStatusType.SUCCESS:
        return Gimp.get_pdb().get_last_error()
    ids = [int(each) for each in result.index(2)]
    assert result.index(1).get_id() == ids[0]
    return ids


def pixels(layer: Gimp.Layer, pixel_format: str = "R'G'B'A u8") -> str:
    """All samples of a layer, packed for the way out."""
    whole = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    data = layer.get_buffer().get(whole, 1.0, pixel_format, Gegl.AbyssPolicy.NONE)
    return base64.b64encode(bytes(data)).decode("ascii")


def about(layer_id: int, pixel_format: str = "R'G'B'A u8") -> dict[str, Any]:
    """Everything that a test compares of a layer."""
    layer = Gimp.Item.get_by_id(layer_id)
    parent = layer.get_parent()
    recipe = layer.get_parasite("acetate-recipe")
    mask = layer.get_mask()
    return {
        "name": layer.get_name(),
        "x": layer.get_offsets()[1],
        "y": layer.get_offsets()[2],
        "width": layer.get_width(),
        "height": layer.get_height(),
        "parent": parent.get_name() if parent is not None else "",
        "recipe": bytes(recipe.get_data()).decode("ascii") if recipe is not None else "",
        "pixels": pixels(layer, pixel_format),
        "mask": mask is not None,
        "space": int(layer.get_composite_space()),
    }


def names(image: Gimp.Image) -> list[str]:
    """The topmost level of the stack."""
    return [layer.get_name() for layer in image.get_layers()]


def panel() -> dict[str, Any] | None:
    """What the open panel says; None while it is closed."""
    return ask_panel()
