"""What can be asked for: one row for each mode, read by server, panels, procedures and scripts.

A mode that is added needs its row here, a module of its name in `acetate.modes` that paints it,
and a family that lists it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from acetate_bridge.protocol.messages import ModeInfo, ModeInput
from acetate_bridge.protocol.types import FillKind, Role

Reads = Literal["layer", "beneath", "difference"]
"""How the pictures of a mode are read: each by the kind of its input; likewise, but the picture
without the layer; or the picture with the layer and without it, which is the difference."""


@dataclass(frozen=True)
class Mode:
    """A mode as everybody but its painter knows it.

    `title` stands in menus, in headline case; `words` is the sentence that `welcome` tells;
    `sentence` says what comes of it, with {name} for the layer and {place} for where.
    `prompts` are the layers with a prompt of their own, `script_prompts` those that a procedure
    asks for. `needs_layer`: it works on the active layer and cannot do without one.
    `layer_extent`: without a selection it paints where that layer is, not the whole canvas.
    `below`: its result goes directly below that layer. `grouped`: its layers come in a new group.
    `opaque`: a result without transparency is no surprise. `context` is how much is shown around
    a selection, as a share of its longer side. `fields` are the settings of the recipe that not
    every mode has. `whole` says whether the roles that have come make a variant complete; without
    it that is known at the end. `reversed`: its layers come with the hindmost first.
    `own_prompt`: without a prompt it takes the one that its layer was painted from.
    `needs_selection`: it paints into what is selected and cannot do without. `prompted`: it takes
    a prompt. `own_pixels`: it works on the layer's own pixels, whatever the model paints at.
    `enlarges`: its result is `Recipe.scale` times as large.
    `second_pass`: its shapes are there already, so it fills all of the largest square.
    `repaints`: its result stands for its layer, which is hidden or replaced as the painter likes.
    `keeps_alpha`: only colours change, so the layer's transparency comes back to the last bit.
    `command` names it for scripts, `blurb` is a procedure's description.
    """

    name: str
    title: str
    words: str
    sentence: str
    command: str
    blurb: str
    inputs: tuple[ModeInput, ...] = ()
    prompts: tuple[str, ...] = ()
    script_prompts: tuple[str, ...] = ()
    needs_layer: bool = False
    layer_extent: bool = False
    reads: Reads = "layer"
    context: float = 0.0
    below: bool = False
    grouped: bool = False
    opaque: bool = False
    fields: frozenset[str] = frozenset()
    whole: Callable[[set[Role]], bool] | None = lambda roles: bool(roles - {Role.BLENDED})
    reversed: bool = False
    own_prompt: bool = False
    second_pass: bool = False
    repaints: bool = False
    needs_selection: bool = False
    keeps_alpha: bool = False
    prompted: bool = True
    own_pixels: bool = False
    enlarges: bool = False

    @property
    def label(self) -> str:
        """The title as a menu of the panel shows it."""
        return self.title.capitalize()

    @property
    def info(self) -> ModeInfo:
        """What `welcome` says of it."""
        return ModeInfo(self.name, self.words, list(self.inputs), list(self.prompts))


MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode(
            "text",
            "Generate Layer",
            "Generate a layer",
            "Paints {place}",
            "generate-layer",
            "Paints a transparent layer from a prompt",
        ),
        Mode(
            "background",
            "Fill Background Around Layer",
            "Fill the background around this layer",
            "Fills the background behind {name}: {place}",
            "fill-background",
            "Paints a background in view of the layer, directly below it",
            inputs=(ModeInput("layer", "layer", "the layer that stands in front"),),
            needs_layer=True,
            context=1 / 8,
            below=True,
            opaque=True,
        ),
        Mode(
            "foreground",
            "Add Object Here",
            "Add something onto what is below",
            "Adds onto what is there: {place}",
            "add-object",
            "Paints an object onto what is there",
            inputs=(ModeInput("picture", "picture", "the picture below"),),
            prompts=("foreground", "blended"),
            context=1 / 4,
            fields=frozenset({"then"}),
        ),
        Mode(
            "joint",
            "Scene in Layers",
            "Generate a scene in layers",
            "Paints a group of layers: {place}",
            "scene-in-layers",
            "Paints a group of layers that belong together",
            prompts=("foreground", "background", "blended"),
            script_prompts=("foreground", "background"),
            grouped=True,
            whole=lambda roles: {Role.FOREGROUND, Role.BACKGROUND} <= roles,
        ),
        Mode(
            "refine",
            "Repaint Layer",
            "Repaint this layer",
            "Repaints {name} on a new layer: {place}",
            "repaint-layer",
            "Repaints the layer on a new one, its transparency included",
            inputs=(ModeInput("layer", "layer", "the layer to repaint"),),
            needs_layer=True,
            layer_extent=True,
            context=1 / 8,
            fields=frozenset({"strength", "keep_transparency", "after_repaint"}),
            own_prompt=True,
            second_pass=True,
            repaints=True,
        ),
        Mode(
            "harmonize",
            "Harmonize Layer",
            "Relight this layer by the picture beneath it",
            "Relights {name} on a new layer: {place}",
            "harmonize-layer",
            "Relights the layer by the picture beneath it, its transparency kept",
            inputs=(
                ModeInput("layer", "layer", "the layer to relight"),
                ModeInput("picture", "picture", "the picture beneath it"),
            ),
            needs_layer=True,
            layer_extent=True,
            reads="beneath",
            opaque=True,
            context=1 / 4,
            fields=frozenset({"after_repaint"}),
            own_prompt=True,
            repaints=True,
            keeps_alpha=True,
        ),
        Mode(
            "fill",
            "Fill Selection",
            "Paint into a selection of this layer",
            "Paints into {name}: {place}",
            "fill-selection",
            "Paints into the selected part of the layer, its transparency included",
            inputs=(
                ModeInput("layer", "layer", "the layer to paint into"),
                # Not a kind of its own, which clients of earlier versions could not read.
                ModeInput("mask", "control", "the selection to paint into"),
                ModeInput("below", "picture", "the picture below", required=False),
            ),
            needs_layer=True,
            needs_selection=True,
            opaque=True,
            context=1 / 2,
            fields=frozenset({"strength", "fill"}),
            second_pass=True,
        ),
        Mode(
            "upscale",
            "Upscale Layer",
            "Enlarge this layer",
            "Enlarges {name} on a new layer: {place}",
            "upscale-layer",
            "Enlarges the layer on a new one, its transparency included",
            inputs=(ModeInput("layer", "layer", "the layer to enlarge"),),
            needs_layer=True,
            layer_extent=True,
            opaque=True,
            fields=frozenset({"scale"}),
            prompted=False,
            own_pixels=True,
            enlarges=True,
        ),
        Mode(
            "defringe",
            "Defringe Layer",
            "Take the fringe off this layer",
            "Takes the fringe off {name} on a new layer: {place}",
            "defringe-layer",
            "Takes foreign colour off the edge of the layer, its transparency kept",
            inputs=(ModeInput("layer", "layer", "the layer with the fringe"),),
            needs_layer=True,
            layer_extent=True,
            opaque=True,
            context=1 / 8,
            fields=frozenset({"after_repaint"}),
            repaints=True,
            keeps_alpha=True,
            prompted=False,
            own_pixels=True,
        ),
        Mode(
            "cutout",
            "Cut Out Subject",
            "Cut the subject out of this layer",
            "Cuts the subject out of {name} on a new layer: {place}",
            "cut-out-subject",
            "Cuts the subject out of a flat layer",
            inputs=(ModeInput("layer", "layer", "the flat layer to cut out of"),),
            needs_layer=True,
            layer_extent=True,
            context=1 / 8,
            fields=frozenset({"after_repaint"}),
            repaints=True,
            prompted=False,
            own_pixels=True,
        ),
        Mode(
            "extract",
            "Lift Out of the Picture",
            "Lift this out of the picture",
            "Lifts {name} off what lies below it: {place}",
            "lift-out",
            "Lifts the layer off what lies below it",
            inputs=(
                ModeInput("picture", "picture", "the picture"),
                ModeInput("background", "layer", "its background", required=False),
                ModeInput("layer", "layer", "the layer in front", required=False),
            ),
            needs_layer=True,
            reads="difference",
            context=1 / 8,
        ),
        Mode(
            "decompose",
            "Split Into Layers",
            "Split this flat picture into layers",
            "Splits {name} into layers: {place}",
            "split-layer",
            "Splits a flat picture into a group of layers",
            inputs=(ModeInput("picture", "picture", "the flat picture"),),
            needs_layer=True,
            grouped=True,
            opaque=True,
            fields=frozenset({"layers"}),
            whole=None,
            reversed=True,
        ),
    )
}
"""In the order of the menu."""


FILL_STRENGTH: dict[FillKind, float] = {"fill": 0.6, "expand": 0.8, "remove": 0.4}
"""How far a filling goes from its surroundings unless it is said: less where nothing is wanted."""


def mode_row(name: str) -> Mode:
    """The row of a mode; one that this version does not know is painted like any other layer."""
    return MODES.get(name) or Mode(name, name, name, "Paints {place}", "", "")
