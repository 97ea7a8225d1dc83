"""The procedures of the plug-in: their names, words and typed arguments, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gi.repository import Gimp, GObject

from acetate_bridge.panel.fields import FIELDS, Field
from acetate_bridge.panel.guides import KIND_WORDS
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.limits import CONTROL_STRENGTH, STYLE_WEIGHT
from acetate_bridge.protocol.modes import MODES, mode_row
from acetate_bridge.protocol.seeds import drawn_seed

MENU = "<Image>/Layer/Acetate"
PANEL = "acetate-open-panel"
_LARGEST_INTEGER = 2**31 - 1
_LARGEST_NUMBER = 1e9


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
    """What a script asks for; `values` are settings by the names of `FIELDS`.

    Without a `region` the selection counts, then what the mode works on, then the canvas.
    """

    mode: str
    layer: Gimp.Layer | None = None
    prompt: str = ""
    layer_prompts: dict[str, str] = field(default_factory=dict[str, str])
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    region: Rect | None = None
    convert: bool = False
    again: bool = False
    hide_source: bool = False
    styles: dict[str, float] = field(default_factory=dict[str, float])
    follow: str = ""
    follow_as: str = ""
    follow_strength: float = 1.0


def fields_of(painting: Painting) -> list[Field]:
    """The settings that are arguments of a procedure."""
    if painting.again:
        return [FIELDS["seed"]]
    return [row for row in FIELDS.values() if row.argument and row.applies(painting.mode)]


def add_arguments(procedure: Gimp.Procedure, painting: Painting) -> None:
    """Typed arguments and the two return values."""
    flags = GObject.ParamFlags.READWRITE
    if not painting.again:
        procedure.add_string_argument("prompt", "_Prompt", "What to paint", "", flags)
        for role in painting.prompts:
            procedure.add_string_argument(
                f"{role}-prompt", f"_{role.capitalize()}", f"What to paint as {role}", "", flags
            )
        _add_region(procedure)
        if mode_row(painting.mode).repaints:
            words = "Hide the layer that it was made from"
            procedure.add_boolean_argument("hide-source", "_Hide", words, True, flags)
        if mode_row(painting.mode).prompted:
            _add_guides(procedure, flags)
    for row in fields_of(painting):
        _add_field(procedure, row, flags)
    procedure.add_boolean_argument(
        "convert", "_Convert", "Convert a grayscale or indexed image to RGB", False, flags
    )
    procedure.add_layer_return_value("layer", "Layer", "The first new layer", False, flags)
    procedure.add_string_array_return_value(
        "layer-ids", "Layer IDs", "The ids of all new layers, from the top downwards", flags
    )


def _add_guides(procedure: Gimp.Procedure, flags: GObject.ParamFlags) -> None:
    """Styles, and a layer to follow."""
    words = "Imported styles with their weights, as “ink=0.8, wash”"
    procedure.add_string_argument("styles", "St_yles", words, "", flags)
    procedure.add_string_argument("follow", "_Follow", "Name of a layer to follow", "", flags)
    words = f"What that layer shows: {', '.join(KIND_WORDS)}"
    procedure.add_string_argument("follow-as", "Follow _as", words, "", flags)
    bound = CONTROL_STRENGTH
    words = f"How closely it is followed, {bound.least:g} to {bound.most:g}"
    most = _LARGEST_NUMBER
    procedure.add_double_argument(
        "follow-strength", "Follow st_rength", words, -most, most, 1.0, flags
    )


def _add_field(procedure: Gimp.Procedure, row: Field, flags: GObject.ParamFlags) -> None:
    name, words, bound = _argument(row), row.argument, row.bound
    if bound is None:
        toggle = row.kind == "toggle"
        add = procedure.add_boolean_argument if toggle else procedure.add_string_argument
        add(name, row.label, words, row.default, flags)
        return
    default = row.default
    words += f", {bound.lowest:g} to {min(bound.most, _LARGEST_INTEGER):g}"
    if row.unset is not None:
        default = row.unset
        words += f"; {row.unset:g}: {row.unset_words}"
    if row.whole:
        _add_whole(procedure, name, row.label, words, int(default))
    else:
        most = _LARGEST_NUMBER
        procedure.add_double_argument(name, row.label, words, -most, most, default, flags)


def _add_whole(procedure: Gimp.Procedure, name: str, label: str, words: str, default: int) -> None:
    """GIMP goes on with the default for a number out of bounds: so all are let in, and checked."""
    flags, most = GObject.ParamFlags.READWRITE, _LARGEST_INTEGER
    procedure.add_int_argument(name, label, words, -most - 1, most, default, flags)


def _argument(row: Field) -> str:
    """GIMP writes names with hyphens."""
    return row.name.replace("_", "-")


def order_of(
    painting: Painting, config: Gimp.ProcedureConfig, drawables: list[Gimp.Drawable]
) -> Order:
    """The arguments of a call as an order. Raises ValueError with a sentence for nonsense."""
    get = config.get_property
    layer = next((each for each in drawables or [] if isinstance(each, Gimp.Layer)), None)
    values = {row.name: _checked(row, get(_argument(row))) for row in fields_of(painting)}
    if values["seed"] == FIELDS["seed"].unset:
        values["seed"] = drawn_seed()
    if painting.again:
        return Order("", layer, values=values, convert=get("convert"), again=True)
    prompts = {role: get(f"{role}-prompt") or "" for role in painting.prompts}
    return Order(
        painting.mode,
        layer,
        get("prompt") or "",
        prompts,
        values,
        _region(*(get(name) for name in ("x", "y", "width", "height"))),
        get("convert"),
        hide_source=mode_row(painting.mode).repaints and get("hide-source"),
        **(_guides(get) if mode_row(painting.mode).prompted else {}),
    )


def _guides(get: Callable[[str], Any]) -> dict[str, Any]:
    """Styles and the layer to follow, of the arguments of a call. Raises ValueError."""
    kind, strength = get("follow-as") or "", get("follow-strength")
    CONTROL_STRENGTH.check(strength)
    if get("follow") and kind not in KIND_WORDS:
        names = ", ".join(KIND_WORDS)
        raise ValueError(f"Say what the layer to follow shows: {names}; not “{kind}”.")
    return {
        "styles": _read_styles(get("styles") or ""),
        "follow": get("follow") or "",
        "follow_as": kind,
        "follow_strength": strength,
    }


def _checked(row: Field, value: Any) -> Any:
    """A setting inside its bounds, or left open. Raises ValueError."""
    if value is None:
        # GIMP hands over an empty text as nothing.
        return row.default
    if row.bound is not None and value != row.unset:
        row.bound.check(value)
    if row.choices and value not in dict(row.choices):
        names = ", ".join(name for name, _ in row.choices)
        raise ValueError(f"“{row.words}” is one of {names}, not “{value}”.")
    return value


def _region(x: int, y: int, width: int, height: int) -> Rect | None:
    """The region that a script insists on; None without one. Raises ValueError."""
    if not any((x, y, width, height)):
        return None
    if width <= 0 or height <= 0:
        raise ValueError(
            f"A region needs a width and a height above 0, not {width} × {height}: "
            "leave out all four numbers to paint the selection, the layer or the canvas."
        )
    return Rect(x, y, width, height)


def _add_region(procedure: Gimp.Procedure) -> None:
    words = "of the region to paint; a width of 0: the selection, else the layer or the canvas"
    for name, label in (("x", "_X"), ("y", "_Y"), ("width", "Width"), ("height", "Height")):
        _add_whole(procedure, name, label, f"{name.capitalize()} {words}", 0)


def _read_styles(text: str) -> dict[str, float]:
    """Styles as a script writes them, “ink=0.8, wash”. Raises ValueError."""
    found: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, weight = part.partition("=")
        try:
            found[name.strip()] = float(weight) if equals else 1.0
        except ValueError:
            raise ValueError(f"A style is written ink or ink=0.8, not “{part}”.") from None
        STYLE_WEIGHT.check(found[name.strip()])
    return found
