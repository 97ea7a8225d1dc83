"""Several layers one after another, each onto what is there by then."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from acetate.cli.console import say
from acetate.cli.early import check_without_torch
from acetate.cli.outputs import Outputs
from acetate.cli.request import Order, check, settled
from acetate.cli.run import carry_out, load, painted, write_scene
from acetate.images.formats import STDOUT
from acetate.images.stacking import stack
from acetate_bridge.protocol.types import Layer, Recipe


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
    layers: list[Layer] = []
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
            images={**order.images, "picture": composite},
            settled=Outputs((output,)),
        )
        layers += carry_out(single, pipeline)
        composite = stack(layers[-1].image, composite)
    for scene in outputs.scenes:
        write_scene(scene, composite, layers, order, told)


def grow_again(order: Order, recipes: Sequence[Recipe]) -> None:
    """Paint a scene again from the recipes of its layers, and write it alone.

    Raises AcetateError, also where a layer does not find the picture that it was painted onto.
    """
    check(order)
    outputs = settled(order)
    told = sys.stderr if order.output == STDOUT else sys.stdout
    check_without_torch(order)
    for note in outputs.notes:
        say(note, told)
    pipeline = load(order)
    composite = order.images["picture"]
    layers: list[Layer] = []
    for recipe in recipes:
        single = replace(
            order,
            recipe=recipe,
            steps=recipe.steps,
            guidance=recipe.guidance,
            images={**order.images, "picture": composite},
        )
        ((layer, *_),) = painted(single, pipeline)
        layers.append(layer)
        composite = stack(layer.image, composite)
    write_scene(outputs.layers[0], composite, layers, order, told)
