"""Several layers one after another, each onto what is there by then."""

from __future__ import annotations

from dataclasses import replace

from acetate.cli.request import Order, check
from acetate.cli.run import carry_out, load, stack
from acetate.images.files import read_image, write_image


def grow(order: Order) -> None:
    """Paint the order's prompt onto its picture, then each of `then` onto the growing composite.

    Seeds count up. The layers are numbered; the composite is made of them, not of what the model
    thinks that they look like together, so that it is what the layers show in a document.
    Raises AcetateError; layers that are painted by then stay.
    """
    check(order)
    pipeline = None if order.server else load(order)
    composite = order.images["picture"]
    prompts = (order.recipe.prompt, *order.then)
    for index, (prompt, output) in enumerate(zip(prompts, order.outputs(), strict=True)):
        recipe = replace(order.recipe, prompt=prompt, seed=order.recipe.seed + index)
        if index:
            recipe = replace(recipe, layer_prompts={})
        single = replace(
            order, recipe=recipe, output=output, then=(), scene=None, images={"picture": composite}
        )
        carry_out(single, pipeline)
        composite = stack(read_image(output), composite)
    if order.scene is not None:
        write_image(order.scene, composite)
        print(f"{order.scene}: all of it together")
