"""The settings of the panel: one row each, drawn by both toolkits, procedures and command line.

A setting that is added needs its row here and, to reach the pixels, a field of its name in
`Recipe`; one that not every mode has is listed in `Mode.fields` of those that have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acetate_bridge.protocol.limits import (
    GUIDANCE,
    SCALE,
    SCALES,
    SEED,
    STEPS,
    STRENGTH,
    VARIANTS,
    Bound,
    one_of,
)
from acetate_bridge.protocol.modes import MODES, mode_row
from acetate_bridge.protocol.types import Recipe

Value = str | float | int | bool

Kind = Literal["menu", "line", "share", "number", "toggle"]
"""How a setting is drawn: a menu, a line of text, a slider in per cent, a number, a button."""


@dataclass(frozen=True)
class Field:
    """One setting. An underscore in `label` stands before the letter of its key.

    `name` is that of the recipe's field, where there is one. `bound` holds the range of a number;
    with `decimals` of 0 it is a whole one, and without `spins` it is typed only. `per_model`: it
    is kept for each model, whose own advice counts where nothing was set. `beside` names the
    field in whose row it stands; `spoken` is what a reader of the screen says of it there.
    `argument` says in a script what it is; without one it is for the panel alone. `unset` is the
    number by which a script leaves it to the model. `choices` are those of a menu, as names and
    labels, unless the server gives them. `in_dialog`: it stands among the settings of the dialog,
    not in the panel. `guides`: it stands in the fold of what guides a painting.
    """

    name: str
    label: str
    tip: str
    kind: Kind
    default: Value
    bound: Bound | None = None
    decimals: int = 0
    spins: bool = True
    per_model: bool = False
    beside: str = ""
    spoken: str = ""
    argument: str = ""
    unset: float | None = None
    unset_words: str = "the model's advice"
    choices: tuple[tuple[str, str], ...] = ()
    in_dialog: bool = False
    guides: bool = False

    @property
    def words(self) -> str:
        """The label without its key."""
        return self.label.replace("_", "")

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return self.kind == "number" and not self.decimals

    def applies(self, mode: str) -> bool:
        """Whether it counts in a mode."""
        return self.name not in _OWN or self.name in mode_row(mode).fields

    def clean(self, value: object) -> Value:
        """The value inside its bounds; the default for what is of another type."""
        if isinstance(self.default, (bool, str)):
            fits = isinstance(value, type(self.default))
            if fits and self.choices and value not in dict(self.choices):
                fits = False
            return value if fits else self.default  # type: ignore[return-value]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self.default
        number = self.bound.clamp(value) if self.bound is not None else value
        return int(number) if self.whole else float(number)


_OWN = frozenset(name for mode in MODES.values() for name in mode.fields)

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field(
            "model",
            "M_odel",
            "What paints",
            "menu",
            "",
            argument="Id of the model; empty: the first that can do it",
        ),
        Field(
            "preset",
            "_Preset",
            "Model, styles, words and numbers under one name",
            "menu",
            "",
            argument="Name of a preset",
            guides=True,
        ),
        Field(
            "frame",
            "Words ar_ound",
            "Words around every prompt, which stands in them as {prompt}",
            "line",
            "",
            guides=True,
        ),
        Field(
            "scheduler",
            "Sa_mpler",
            "How noise becomes a picture (scheduler)",
            "menu",
            "",
            argument="Name of the sampler; empty: the model's own",
            guides=True,
        ),
        Field(
            "negative_prompt",
            "A_void",
            "What must not be there (negative prompt)",
            "line",
            "",
            argument="What not to paint",
        ),
        Field(
            "fill",
            "_What for",
            "Paint what the prompt says, only what the layer has not got there, or what is around",
            "menu",
            "fill",
            argument="What for: fill, expand (what the layer has not got) or remove",
            choices=(
                ("fill", "Fill with what the prompt says"),
                ("expand", "Expand the layer"),
                ("remove", "Remove, and continue what is around"),
            ),
        ),
        Field(
            "scale",
            "Si_ze",
            f"How many times as large: {one_of(SCALES)}",
            "number",
            2,
            SCALE,
            argument="How many times as large",
        ),
        Field(
            "strength",
            "S_trength",
            "How far a repainting may go (denoising strength)",
            "share",
            0.6,
            STRENGTH,
            argument="How far the repainting may go",
        ),
        Field(
            "after_repaint",
            "Source of a _repainting",
            "What a repainting does to the layer that it was made from",
            "menu",
            "hide",
            in_dialog=True,
            choices=(
                ("hide", "Hide the layer"),
                ("replace", "Replace the layer"),
                ("keep", "Leave the layer as it is"),
            ),
        ),
        Field(
            "language",
            "_Language",
            "The language of the panel; some of it changes only when the editor is started anew",
            "menu",
            "",
            in_dialog=True,
            choices=(
                ("", "As the editor"),
                ("en", "English"),
                ("de", "Deutsch"),
                ("es", "Español"),
                ("fr", "Français"),
                ("ja", "日本語"),
                ("zh_CN", "简体中文"),
            ),
        ),
        Field(
            "keep_transparency",
            "_Keep transparency",
            "Repaint colour alone: what is see-through stays so (alpha)",
            "toggle",
            False,
            argument="Repaint colour alone: the alpha of the layer stays",
        ),
        Field(
            "steps",
            "_Steps",
            "More takes longer and is finer (denoising steps)",
            "number",
            20,
            STEPS,
            per_model=True,
            argument="Denoising steps",
            unset=0,
        ),
        Field(
            "guidance",
            "_Closeness",
            "How closely the prompt is followed (guidance)",
            "number",
            3.0,
            GUIDANCE,
            decimals=1,
            per_model=True,
            argument="How closely the prompt is followed",
            unset=-1,
        ),
        Field(
            "seed",
            "S_eed",
            "The same seed paints the same layer again",
            "number",
            0,
            SEED,
            spins=False,
            argument="The same seed paints the same layer",
            unset=-1,
            unset_words="any",
        ),
        Field(
            "seed_locked",
            "L_ock",
            "Keep the seed instead of drawing another for each layer",
            "toggle",
            False,
            beside="seed",
            spoken="Keep the seed",
        ),
        Field(
            "variants",
            "_Variants",
            "How many to choose from (batch)",
            "number",
            1,
            VARIANTS,
            argument="How many results to insert",
        ),
    )
}
"""From the top of the panel downwards."""


def recipe_value(recipe: Recipe, name: str) -> Value | None:
    """What a recipe says of a setting; None where it has none of that name."""
    return getattr(recipe, name, None)
