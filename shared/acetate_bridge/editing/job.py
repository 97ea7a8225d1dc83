"""A job as the panel follows it: what was asked, for which place, and what has come so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acetate_bridge.editing.anchor import Anchor
from acetate_bridge.editing.editor import Document, Place, Selection
from acetate_bridge.editing.guides import Follow
from acetate_bridge.editing.masks import packed, unpacked
from acetate_bridge.editing.plan import Origin, Plan
from acetate_bridge.editing.stack_order import key_now
from acetate_bridge.editing.thumbnails import alpha_statistics, thumbnail
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.messages import Progress
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.naming import UNNAMED, layer_name
from acetate_bridge.protocol.types import Image, Layer, Recipe, Role

OPAQUE = "The layer came out opaque all over."
EMPTY = "The layer came out empty."


@dataclass(frozen=True)
class Record:
    """What has to be known of a job to put its layers in place, as plain values for a file.

    `mask` holds the selection's strengths, packed; `group` names the group of a scene. With
    `opaque_expected` a layer without transparency is no surprise. `source` is the layer that it
    was made from, `hides` what the first result hides; `file`, `mark` and `anchor` find the
    document and the place again; `follows` are the layers that it followed. `contents` says what
    was painted on those that it `replaces`, see `content_of`; `like` is blended as its layers.
    `patches` is a layer that it repaints a part of, the rest of which a result holds as well.
    """

    job: str
    document: str
    title: str
    mode: str
    region: Rect
    recipe: Recipe
    place: Place = Place()
    group: str = ""
    replaces: list[str] = field(default_factory=list[str])
    variants: int = 1
    opaque_expected: bool = False
    mask_bounds: Rect | None = None
    mask: str = field(default="", repr=False)
    source: str = ""
    origin: Origin = "canvas"
    hides: list[str] = field(default_factory=list[str])
    file: str = ""
    mark: str = ""
    anchor: Anchor = Anchor()
    follows: list[Follow] = field(default_factory=list[Follow])
    contents: dict[str, str] = field(default_factory=dict[str, str])
    like: str = ""
    patches: str = ""

    def gives_way(self, whole: bool) -> tuple[str, ...]:
        """What is not seen any more beside a result, which is `whole` or only a part."""
        gone = (*self.replaces, *self.hides)
        return tuple(key for key in gone if whole or key != self.patches)

    @property
    def selection(self) -> Selection | None:
        """The soft selection that clips the layers; None when it is damaged or there is none."""
        if self.mask_bounds is None:
            return None
        strengths = unpacked(self.mask, self.mask_bounds)
        return Selection(self.mask_bounds, strengths) if strengths is not None else None

    def opened_again(self, home: Document, keys: dict[str, str] | None) -> Record:
        """The same for a document that was closed and is open again.

        `keys` are those that its layers have now, by those that they had; None: the same.
        """
        record = replace(self, document=home.key, title=home.title)
        if keys is None:
            return record
        place = replace(self.place, layer=key_now(self.place.layer or "", keys) or None)
        return replace(
            record,
            place=place,
            replaces=[keys[key] for key in self.replaces if key in keys],
            hides=[keys[key] for key in self.hides if key in keys],
            source=keys.get(self.source, ""),
            like=keys.get(self.like, ""),
            patches=keys.get(self.patches, ""),
            contents={keys[key]: word for key, word in self.contents.items() if key in keys},
            anchor=self.anchor.opened_again(keys),
        )


def source_of(plan: Plan, mode: str) -> str:
    """The layer that a mode works on; empty for one that starts from nothing."""
    return plan.source.key if plan.source is not None and mode_row(mode).needs_layer else ""


def record_of(
    job: str,
    plan: Plan,
    recipe: Recipe,
    variants: int,
    replaces: list[str],
    opaque: bool,
    hides: list[str] | None = None,
    anchor: Anchor | None = None,
    follows: list[Follow] | None = None,
) -> Record:
    """The record of a job that paints a plan."""
    mask = plan.mask.mask if plan.mask is not None else None
    mode = mode_row(recipe.mode)
    return Record(
        job,
        plan.document.key,
        plan.document.title,
        recipe.mode,
        plan.region,
        recipe,
        plan.place,
        layer_name(recipe.prompt) if mode.grouped or recipe.then else "",
        replaces,
        variants,
        opaque or mode.opaque,
        plan.mask.bounds if plan.mask is not None and mask is not None else None,
        packed(mask) if mask is not None else "",
        plan.source.key if plan.source is not None else "",
        plan.origin,
        hides or [],
        plan.document.file,
        plan.document.mark,
        anchor or Anchor(),
        follows or [],
    )


@dataclass
class Result:
    """One variant: its layers from the top downwards, and their keys while they are inserted.

    `stood`: it was in a document, whose undo history has it at least. `whole`: it holds the rest
    of the layer that it repaints a part of, and no selection clips it.
    """

    layers: tuple[Layer, ...]
    picture: Image
    warning: str = ""
    keys: list[str] = field(default_factory=list[str])
    kept: bool = False
    stood: bool = False
    whole: bool = False

    @property
    def recipe(self) -> Recipe | None:
        """What reproduces it."""
        return self.layers[0].recipe

    @property
    def tip(self) -> str:
        """The text of its tooltip."""
        recipe = self.recipe
        if recipe is None:
            return self.layers[0].name
        return f"{layer_name(recipe.prompt)} · seed {recipe.seed} · {recipe.steps} steps"

    def moved(self, x: int, y: int) -> Result:
        """The same, so many pixels to the right and down."""
        moved = (replace(each, x=each.x + x, y=each.y + y) for each in self.layers)
        return replace(self, layers=tuple(moved))


@dataclass(frozen=True)
class Arrival:
    """A layer with what was found out about it outside the GUI thread."""

    layer: Layer
    picture: Image
    warning: str


def look_at(layer: Layer) -> Arrival:
    """Thumbnail and transparency of a layer; costs some milliseconds, so not on a GUI thread."""
    statistics = alpha_statistics(layer.image)
    opaque = statistics.opaque and layer.role is Role.FOREGROUND
    warning = EMPTY if statistics.empty else OPAQUE if opaque else ""
    return Arrival(layer, thumbnail(layer.image), warning)


@dataclass
class Task:
    """A job on its way. An orphan was submitted before the editor was started again.

    `frame` is what its pictures show before they are cut to its region; None while unknown.
    """

    record: Record
    orphan: bool = False
    heard: bool = False
    ahead: int = 0
    progress: Progress | None = None
    preview: Image | None = None
    ended: bool = False
    homeless: bool = False
    parts: dict[int, list[Arrival]] = field(default_factory=dict[int, list[Arrival]])
    results: list[Result] = field(default_factory=list[Result])
    frame: Frame | None = None

    @property
    def safe(self) -> bool:
        """Whether nothing is lost when the server forgets it."""
        return not self.results or any(result.stood for result in self.results)

    def take(self, variant: int, arrival: Arrival) -> list[Result]:
        """Note a layer; returns the variants that are complete by it."""
        complete = [
            result
            for earlier in sorted(self.parts)
            if earlier < variant and (result := self._complete(earlier)) is not None
        ]
        self.parts.setdefault(variant, []).append(arrival)
        if self._is_whole(self.parts[variant]) and (result := self._complete(variant)):
            complete.append(result)
        return complete

    def finish(self) -> list[Result]:
        """The job is done: what has not been handed out yet."""
        found = [self._complete(variant) for variant in sorted(self.parts)]
        return [result for result in found if result is not None]

    def _is_whole(self, arrivals: list[Arrival]) -> bool:
        if self.record.recipe.then:
            return False  # Known at the end, or when the next variant begins.
        roles = {arrival.layer.role for arrival in arrivals}
        whole = mode_row(self.record.mode).whole
        return whole is not None and whole(roles)

    def _complete(self, variant: int) -> Result | None:
        # What comes after a variant was handed out is its blended picture, which nobody inserts.
        arrivals = self.parts.pop(variant)
        shown = [each for each in arrivals if each.layer.role is not Role.BLENDED]
        if not shown:
            return None
        if mode_row(self.record.mode).reversed or self.record.recipe.then:
            shown.reverse()
        shown.sort(key=lambda each: each.layer.role is Role.BACKGROUND)
        warning = next((each.warning for each in shown if each.warning), "")
        if warning == OPAQUE and self.record.opaque_expected:
            warning = ""
        layers = tuple(_named_after(self.record, each.layer) for each in shown)
        return Result(layers, shown[0].picture, warning)


def _named_after(record: Record, layer: Layer) -> Layer:
    """A layer that was made of another one without a prompt bears its name: "Hair, defringed"."""
    source = next((each for each in record.anchor.stack if each.key == record.source), None)
    if mode_row(record.mode).prompted or source is None or not layer.name.startswith(UNNAMED):
        return layer
    return replace(layer, name=f"{source.name}{layer.name[len(UNNAMED) :]}")
