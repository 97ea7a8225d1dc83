"""Several layers one after another, each onto what is there by then."""

from __future__ import annotations

import sys
from dataclasses import replace

from acetate.cli.console import say
from acetate.cli.early import check_without_torch
from acetate.cli.outputs import Outputs
from acetate.cli.request import Order, check, settled
from acetate.cli.run import carry_out, load
from acetate.images.files import write_image
from acetate.images.formats import STDOUT
from acetate.images.stacking import stack


def grow(order: Order) -> None:
    """Paint the order's prompt onto its picture, then each of `then` onto the growing composite.

    Seeds count up. The layers are numbered; the composite is made of them, not of what the model
    thinks that they look like together, so that it is what the layers show in a document.
    Raises AcetateError; layers that are painted by then stay.
    """
    check(order)
    outputs = settled(order)
    told = sys.stderr if order.scene == STDOUT else sys.stdout
    check_without_torch(order)
    for note in outputs.notes:
        say(note, told)
    pipeline = None if order.server else load(order)
    composite = order.images["picture"]
    prompts = (order.recipe.prompt, *order.then)
    for index, (prompt, output) in enumerate(zip(prompts, outputs.layers, strict=True)):
        recipe = replace(order.recipe, prompt=prompt, seed=order.recipe.seed + index)
        if index:
            recipe = replace(recipe, layer_prompts={})
        single = replace(
            order,
            recipe=recipe,
            output=output,
            then=(),
            scene=None,
            images={"picture": composite},
            settled=Outputs((output,)),
        )
        (painted,) = carry_out(single, pipeline)
        composite = stack(painted, composite)
    for scene in outputs.scenes:
        path = write_image(scene, composite, order.recipe, replace=order.force)
        say(f"{path}: all of it together", told)
