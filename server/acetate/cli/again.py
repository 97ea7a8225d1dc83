"""What a picture needs to be painted again: the pictures beside its recipe, by their options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from acetate.cli.quoting import written
from acetate.errors import BadRequest
from acetate_bridge.protocol.following import followed
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Recipe

_FILE, _FOLDER = "FILE", "DIRECTORY"


def options_of(recipe: Recipe) -> dict[str, str]:
    """The option for each picture that a recipe needs, by the name that the request has for it."""
    inputs = mode_row(recipe.mode).inputs
    own = [each.name for each in inputs if each.required or each.name in recipe.inputs]
    followed_by = {
        name: "--reference" if control.kind == "reference" else "--control"
        for name, control in followed(recipe).items()
    }
    others = [name for name in recipe.inputs if name not in followed_by and name not in own]
    return {name: f"--{name}" for name in (*own, *others)} | followed_by


def pictures_followed(
    recipe: Recipe, controls: Sequence[Path], references: Sequence[Path]
) -> dict[str, Path]:
    """What is to be followed and to be gone by, as it was given, by the names of the recipe.

    More than it needs of `controls` are its references, which had no option of their own once.
    Raises BadRequest for what it has no use for.
    """
    options = options_of(recipe)
    found: dict[str, Path] = {}
    left = list(controls)
    for name in followed(recipe):
        if options[name] == "--control" and left:
            found[name] = left.pop(0)
    rest = [*references, *left]
    for name in followed(recipe):
        if options[name] == "--reference" and rest:
            found[name] = rest.pop(0)
    if rest:
        option = "--reference" if len(rest) > len(left) else "--control"
        raise BadRequest(f"The picture was painted without {option} {rest[0]}: leave it out.")
    return found


def is_known(model: str) -> bool:
    """Whether the model of a recipe is here: by its name, or as a folder."""
    from acetate.models.registry import model_named

    if model and Path(model, "model_index.json").is_file():
        return True
    try:
        model_named(model)
    except BadRequest:
        return False
    return True


def again_words(
    source: Path,
    recipe: Recipe,
    output: Path,
    pick: int | str | None,
    given: Mapping[str, Path],
    model: str,
) -> str:
    """The command that paints a picture again; FILE stands for each picture that is not given."""
    words = ["acetate", "generate", "--from", str(source)]
    if pick is not None:
        words += ["--pick", str(pick)]
    for name, option in options_of(recipe).items():
        words += [option, str(given.get(name, _FILE))]
    if not model:
        words += ["--model", _FOLDER]
    elif model != recipe.model:
        words += ["--model", model]
    return written([*words, "-o", str(output)])


def check_complete(recipe: Recipe, given: Iterable[str], model: str, command: str) -> None:
    """Raise BadRequest unless all that a picture was painted with is named."""
    options = options_of(recipe)
    missing = [option for name, option in options.items() if name not in set(given)]
    if missing:
        several = len(missing) > 1
        raise BadRequest(
            f"The picture was painted with {'others' if several else 'another one'}: name "
            f"{'them' if several else 'it'} with {_listed(missing)}.",
            f"The command: {command}",
        )
    if not model:
        named = f"the model “{recipe.model}”, which is not here" if recipe.model else ""
        told = named or "a model that its recipe does not name"
        raise BadRequest(f"The picture was painted with {told}.", "Name where it is with --model.")


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
