"""The procedures of the plug-in: their names, words and typed arguments, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from gi.repository import Gimp, GObject

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.limits import GUIDANCE, STEPS, STRENGTH, VARIANTS, drawn_seed
from acetate_bridge.protocol.modes import MODES, mode_row

MENU = "<Image>/Layer/Acetate"
PANEL = "acetate-open-panel"


@dataclass(frozen=True)
class Painting:
    """A procedure that paints: in a mode, or (`again`) a layer anew from its own recipe."""

    mode: str
    label: str
    blurb: str
    again: bool = False

    @property
    def prompts(self) -> tuple[str, ...]:
        """Layers of a scene with a prompt of their own."""
        return () if self.again else mode_row(self.mode).script_prompts

    def has(self, field: str) -> bool:
        """Whether a setting that not every mode has counts here."""
        return not self.again and field in mode_row(self.mode).fields


PROCEDURES: dict[str, Painting] = {
    **{
        f"acetate-{mode.command}": Painting(mode.name, f"_{mode.title}…", mode.blurb)
        for mode in MODES.values()
    },
    "acetate-regenerate-layer": Painting(
        "", "Paint Layer Ane_w", "Paints the layer anew from its recipe, in its place", again=True
    ),
}


@dataclass(frozen=True)
class Order:
    """What a script asks for. Zero steps, a negative guidance: the model's own advice.

    Without a `region` the selection counts, then what the mode works on, then the canvas.
    """

    mode: str
    layer: Gimp.Layer | None = None
    prompt: str = ""
    negative_prompt: str = ""
    layer_prompts: tuple[tuple[str, str], ...] = ()
    model: str = ""
    seed: int = 0
    steps: int = 0
    guidance: float = -1.0
    strength: float = 1.0
    variants: int = 1
    region: Rect | None = None
    convert: bool = False
    again: bool = False


def add_arguments(procedure: Gimp.Procedure, painting: Painting) -> None:
    """Typed arguments and the two return values."""
    flags = GObject.ParamFlags.READWRITE
    if not painting.again:
        procedure.add_string_argument("prompt", "_Prompt", "What to paint", "", flags)
        procedure.add_string_argument("negative-prompt", "A_void", "What not to paint", "", flags)
        for role in painting.prompts:
            procedure.add_string_argument(
                f"{role}-prompt", f"_{role.capitalize()}", f"What to paint as {role}", "", flags
            )
        procedure.add_string_argument(
            "model", "_Model", "Id of the model; empty: the first that can do it", "", flags
        )
        procedure.add_int_argument(
            "steps",
            "_Steps",
            "Denoising steps; 0: the model's advice",
            0,
            int(STEPS.most),
            0,
            flags,
        )
        procedure.add_double_argument(
            "guidance",
            "_Guidance",
            "How closely the prompt is followed; -1: the model's advice",
            -1.0,
            GUIDANCE.most,
            -1.0,
            flags,
        )
        procedure.add_int_argument(
            "variants", "_Variants", "How many results to insert", 1, int(VARIANTS.most), 1, flags
        )
        _add_region(procedure, flags)
    if painting.has("strength"):
        procedure.add_double_argument(
            "strength",
            "S_trength",
            "How far the repainting may go",
            STRENGTH.lowest,
            STRENGTH.most,
            0.6,
            flags,
        )
    procedure.add_int_argument(
        "seed", "S_eed", "The same seed paints the same layer; -1: any", -1, 2**31 - 1, -1, flags
    )
    procedure.add_boolean_argument(
        "convert", "_Convert", "Convert a grayscale or indexed image to RGB", False, flags
    )
    procedure.add_layer_return_value("layer", "Layer", "The first new layer", False, flags)
    procedure.add_string_array_return_value(
        "layer-ids", "Layer IDs", "The ids of all new layers, from the top downwards", flags
    )


def order_of(
    painting: Painting, config: Gimp.ProcedureConfig, drawables: list[Gimp.Drawable]
) -> Order:
    """The arguments of a call as an order."""
    get = config.get_property
    layer = next((each for each in drawables or [] if isinstance(each, Gimp.Layer)), None)
    seed = get("seed")
    seed = seed if seed >= 0 else drawn_seed()
    if painting.again:
        return Order("", layer, seed=seed, convert=get("convert"), again=True)
    region = None
    if get("width") and get("height"):
        region = Rect(get("x"), get("y"), get("width"), get("height"))
    prompts = tuple((role, get(f"{role}-prompt") or "") for role in painting.prompts)
    return Order(
        painting.mode,
        layer,
        get("prompt") or "",
        get("negative-prompt") or "",
        tuple((role, text) for role, text in prompts if text),
        get("model") or "",
        seed,
        get("steps"),
        get("guidance"),
        get("strength") if painting.has("strength") else 1.0,
        get("variants"),
        region,
        get("convert"),
    )


def _add_region(procedure: Gimp.Procedure, flags: GObject.ParamFlags) -> None:
    farthest, widest = 2**18, 2**18
    words = "of the region to paint; a width of 0: the selection, else the layer or the canvas"
    for name in ("x", "y"):
        procedure.add_int_argument(
            name, f"_{name.upper()}", f"{name} {words}", -farthest, farthest, 0, flags
        )
    for name in ("width", "height"):
        procedure.add_int_argument(
            name, name.capitalize(), f"{name.capitalize()} {words}", 0, widest, 0, flags
        )
