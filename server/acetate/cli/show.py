"""`acetate show`: the recipe inside a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from acetate.cli.again import again_words, is_known
from acetate.images.files import read_carried
from acetate.models.fitting import kept_in
from acetate_bridge.protocol.following import controls_of
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.naming import printable
from acetate_bridge.protocol.serialization import to_plain
from acetate_bridge.protocol.types import Recipe

_HASH = 12


def show(
    picture: Annotated[Path, typer.Argument(help="A picture that Acetate painted.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print the recipe that a picture was painted from."""
    carried = read_carried(picture)
    recipes = carried.recipes
    if as_json:
        plain = [to_plain(recipe) for recipe in recipes]
        print(json.dumps(plain if len(plain) > 1 else plain[0], indent=2, ensure_ascii=False))
        return
    if carried.scene:
        layers = f"{len(recipes)} layers, one after another" if len(recipes) > 1 else "a layer"
        print(f"A scene that was stacked from {layers}, and the picture given beside it.")
    for number, recipe in enumerate(recipes, 1):
        if len(recipes) > 1:
            print(f"{number}: {_shown(recipe.prompt)}, seed {recipe.seed}")
        else:
            for name, value in _lines(recipe):
                print(f"{_shown(name):<12} {_shown(value)}")
    several = len(recipes) > 1 and not carried.scene
    pick = "NUMBER" if several else None
    recipe = recipes[0]
    model = recipe.model if is_known(recipe.model) else ""
    command = again_words(picture, recipe, Path("again.png"), pick, {}, model)
    which = f" (NUMBER is 1 to {len(recipes)})" if several else ""
    print(f"Paint it again{which}: {_shown(command)}")


def _lines(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """What a person wants to know, with a name each; of the settings those that the mode has."""
    row = mode_row(recipe.mode)
    if row.prompted:
        yield "prompt", recipe.prompt
    yield from recipe.layer_prompts.items()
    if recipe.negative_prompt:
        yield "avoided", recipe.negative_prompt
    yield "mode", f"{recipe.mode} ({_words(recipe.mode)})"
    if recipe.width and recipe.height:
        yield "painted at", f"{recipe.width} × {recipe.height} pixels"
    if row.prompted:
        yield "seed", str(recipe.seed)
        yield "steps", str(recipe.steps)
        yield "guidance", f"{recipe.guidance:g}"
    if recipe.scheduler:
        yield "scheduler", recipe.scheduler
    if "strength" in row.fields and recipe.strength != 1.0:
        yield "strength", f"{recipe.strength:g}"
    if row.enlarges:
        yield "enlarged", f"{recipe.scale} times"
    for name, weight in recipe.styles.items():
        yield "style", f"{name}, {weight:g}"
    for control in controls_of(recipe):
        end = f", up to {control.end:.0%}" if control.end < 1 else ""
        part = "" if control.aspect == "whole" else f" for its {control.aspect}"
        yield "follows", f"a {control.kind} image{part}, {control.strength:g}{end}"
    if recipe.inputs:
        yield "made from", ", ".join(recipe.inputs)
    if recipe.model:
        yield "model", f"{recipe.model} {recipe.model_hash[:_HASH]}".strip()
    if recipe.cache:
        yield "step cache", recipe.cache
    if recipe.weights:
        yield "weights", f"in {kept_in(recipe.weights)}"
    yield "by", recipe.software


def _shown(value: str) -> str:
    """What a picture says, without commands to the terminal and lines that look like ours."""
    return printable(value).replace("\n", f"\n{'':<13}")


def _words(mode: str) -> str:
    try:
        return mode_row(mode).words
    except (KeyError, ValueError):
        return "of a newer version"
