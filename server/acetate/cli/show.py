"""`acetate show`: the recipe inside a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from acetate.images.files import read_recipe
from acetate_bridge.protocol.serialization import to_plain


def show(
    picture: Annotated[Path, typer.Argument(help="PNG that Acetate painted.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print the recipe that a picture was painted from."""
    recipe = to_plain(read_recipe(picture))
    if as_json:
        print(json.dumps(recipe, indent=2, ensure_ascii=False))
        return
    for name, value in recipe.items():
        if value not in ("", {}, 0):
            print(f"{name.replace('_', ' '):<16} {value}")
