"""Where layers stand in the stack: found again in a file that was opened anew, or by neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from acetate_bridge.editing.editor import LayerInfo, Place
from acetate_bridge.protocol.geometry import Rect


@dataclass(frozen=True)
class StackEntry:
    """A layer or group of a stack as it was, as plain values for a file.

    `mark` is what a saved file knows it by. A number that a file gives may come to another layer
    when that was not saved, so the name has to be the same, too.
    """

    key: str
    parent: str
    mark: str
    name: str


def entries_of(layers: Iterable[LayerInfo]) -> list[StackEntry]:
    """A stack, from the top downwards as the editor lists it."""
    return [StackEntry(each.key, each.parent, each.mark or each.key, each.name) for each in layers]


def found_again(entries: Iterable[StackEntry], layers: Iterable[LayerInfo]) -> dict[str, str]:
    """The keys that layers of an earlier stack have now, by those that they had."""
    there = {(each.mark or each.key, each.name): each.key for each in layers}
    return {
        each.key: there[each.mark, each.name] for each in entries if (each.mark, each.name) in there
    }


def key_now(key: str, keys: dict[str, str]) -> str:
    """A layer's key in today's; of one that is not there any more a word that no layer has."""
    return keys.get(key, f"gone {key}") if key else ""


def renamed(entries: Iterable[StackEntry], keys: dict[str, str]) -> list[StackEntry]:
    """The earlier stack in the keys of today."""
    return [
        replace(each, key=key_now(each.key, keys), parent=key_now(each.parent, keys))
        for each in entries
    ]


def place_now(place: Place, entries: Sequence[StackEntry], layers: Sequence[LayerInfo]) -> Place:
    """A place in the stack as it is now, though its layer was deleted or merged meanwhile.

    Then it is where that layer was: above the nearest one below it that is left, else below the
    nearest one above it, else above the group that it was in.
    """
    there = {layer.key for layer in layers}
    if place.layer is None or place.layer in there:
        return place
    own = next((each for each in entries if each.key == place.layer), None)
    if own is None:
        return place
    siblings = [each.key for each in entries if each.parent == own.parent]
    index = siblings.index(own.key)
    if lower := next((key for key in siblings[index + 1 :] if key in there), ""):
        return Place(lower)
    if upper := next((key for key in reversed(siblings[:index]) if key in there), ""):
        return Place(upper, below=True)
    return place_now(Place(own.parent), entries, layers) if own.parent else place


def beneath(place: Place, layers: Sequence[LayerInfo]) -> list[str]:
    """All that lies below a place: what is left without it lies above."""
    by_key = {each.key: each for each in layers}
    own = by_key.get(place.layer or "")
    if own is None:
        return [] if place.below else [each.key for each in layers]
    found = [] if place.below else [own.key]
    while own is not None:
        here, parent = layers.index(own), own.parent
        found += [each.key for each in layers[here + 1 :] if each.parent == parent]
        own = by_key.get(parent)
    return found


def covering(
    place: Place, layers: Sequence[LayerInfo], region: Rect, without: Sequence[str]
) -> bool:
    """Whether a layer that is seen lies above a place, over a region of the document."""
    lower = {*beneath(place, layers), *without}
    for each in layers:
        if each.key in lower or each.parent in lower:
            lower.add(each.key)
            continue
        seen = not (each.group or each.hidden or each.hidden_in)
        if seen and each.bounds is not None and each.bounds.common(region) is not None:
            return True
    return False


class Earlier:
    """The results that were put above a layer in one sitting: the next one lies above them."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], list[str]] = {}

    def note(self, document: str, place: Place, keys: Iterable[str]) -> None:
        """These layers, or the group of them, belong to that place."""
        if place.layer is not None and not place.below:
            self._above.setdefault((document, place.layer), []).extend(keys)

    def note_heirs(self, document: str, replaced: Sequence[str], keys: Iterable[str]) -> None:
        """Some of them have given their place to these layers."""
        for (one, _), results in self._above.items():
            if one == document and any(key in results for key in replaced):
                results.extend(keys)

    def topmost(self, document: str, place: Place, layers: Sequence[LayerInfo]) -> Place:
        """The place above the topmost of them that is still the layer's sibling and above it."""
        own = next((index for index, each in enumerate(layers) if each.key == place.layer), None)
        if place.below or place.layer is None or own is None:
            return place
        earlier = set(self._above.get((document, place.layer), ()))
        above = (each for each in layers[:own] if each.parent == layers[own].parent)
        return Place(next((each.key for each in above if each.key in earlier), place.layer))

    def opened_again(self, document: str, now: str, keys: dict[str, str] | None) -> None:
        """A document was closed and is open again; see `Record.opened_again`."""
        for (one, layer), results in list(self._above.items()):
            if one == document:
                own = layer if keys is None else key_now(layer, keys)
                there = [key if keys is None else key_now(key, keys) for key in results]
                self._above.setdefault((now, own), []).extend(there)
                del self._above[one, layer]
