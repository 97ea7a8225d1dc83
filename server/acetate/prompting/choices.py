"""A recipe with all its choices made: what stands in it then paints the same again."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from acetate.errors import BadRequest
from acetate.prompting.wildcards import wildcard_lines
from acetate_bridge.protocol.prompt_syntax import EndlessChoice, drawn, plain
from acetate_bridge.protocol.types import Recipe


def with_choices_made(recipe: Recipe) -> Recipe:
    """The recipe with what its seed draws in its prompts, and the styles that they name.

    One whose choices are made stays as it is. Raises BadRequest for a wildcard that there is not.
    """
    random = Random(recipe.seed)
    styles = dict(recipe.styles)

    def draw(text: str) -> str:
        try:
            found, named = drawn(text, random.randrange, wildcard_lines)
        except EndlessChoice as error:
            raise BadRequest(f"The wildcard “{error}” names itself without end.") from None
        styles.update(named)
        return found

    return replace(
        recipe,
        prompt=draw(recipe.prompt),
        negative_prompt=draw(recipe.negative_prompt),
        layer_prompts={role: draw(text) for role, text in recipe.layer_prompts.items()},
        then=[draw(text) for text in recipe.then],
        styles=styles,
    )


def in_plain_words(recipe: Recipe) -> Recipe:
    """The recipe for a model that weighs no words."""
    return replace(
        recipe,
        prompt=plain(recipe.prompt),
        negative_prompt=plain(recipe.negative_prompt),
        layer_prompts={role: plain(text) for role, text in recipe.layer_prompts.items()},
        then=[plain(text) for text in recipe.then],
    )


def with_words_of(recipe: Recipe, said: Recipe) -> Recipe:
    """A recipe with the prompts of another."""
    return replace(
        recipe,
        prompt=said.prompt,
        negative_prompt=said.negative_prompt,
        layer_prompts=said.layer_prompts,
        then=said.then,
    )
