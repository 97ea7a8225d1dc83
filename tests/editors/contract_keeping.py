"""Selections, masks, recipes, notes, and the host's own loop."""

from __future__ import annotations

import json
import threading

from acetate_bridge.editing.editor import Document, Selection
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.geometry import Rect
from tests.editors.contract_pictures import (
    RECIPE,
    assert_same,
    layer,
    names,
    picture,
    put,
    solid,
)
from tests.editors.host import Host, Kind

# ---- selections and masks


def check_no_selection_is_none(host: Host) -> None:
    document = host.new_document(64, 48, host.kinds[0])
    assert host.editor.selection(document) is None
    host.select(document, Rect(10, 8, 20, 16))
    host.select_nothing(document)
    assert host.editor.selection(document) is None
    host.close(document)


def check_a_plain_selection_is_its_rectangle(host: Host) -> None:
    document = host.new_document(64, 48, host.kinds[0])
    host.select(document, Rect(10, 8, 20, 16))
    found = host.editor.selection(document)
    assert found is not None and found.bounds == Rect(10, 8, 20, 16)
    assert found.mask is None
    host.close(document)


def check_a_feathered_selection_has_soft_edges(host: Host) -> None:
    document = host.new_document(96, 80, host.kinds[0])
    host.select(document, Rect(24, 20, 48, 40), feather=8)
    found = host.editor.selection(document)
    assert found is not None and found.mask is not None
    assert found.bounds.contains(Rect(24, 20, 48, 40))
    assert len(found.mask) == found.bounds.size.pixels
    bounds = found.bounds
    row = found.mask[(40 - bounds.y) * bounds.width :][: bounds.width]
    middle = row[48 - bounds.x]
    assert middle >= 250 and len({*row}) > 6, "an edge of many strengths"
    rising = list(row[: 48 - bounds.x])
    assert rising == sorted(rising)
    assert 90 <= row[24 - bounds.x] <= 165, "half selected on the edge itself"
    host.close(document)


def check_a_soft_selection_becomes_a_mask_and_destroys_no_pixel(host: Host, kind: Kind) -> None:
    if not kind.keeps_colour:
        return
    document = host.new_document(32, 32, kind)
    host.paint(document, "low", solid(32, 32, 0, 0, 0), 0, 0)
    before, ground = host.stack(document), host.visible(document, Rect(2, 7, 1, 1))
    bounds = Rect(4, 6, 16, 8)
    strength = bytes(min(255, x * 17) for _ in range(8) for x in range(16))
    image = solid(20, 10, 255, 255, 255)
    (key,) = put(host, document, layer(image, 2, 5), mask=Selection(bounds, strength))
    own = host.editor.read_own(document, key, Rect(2, 5, 20, 10), "rgba8")
    assert_same(own, image, kind.off_by8)
    seen = host.editor.read_layer(document, key, bounds, "rgba8")
    for alpha, other in zip(seen.data[3::4], strength):  # noqa: B905 (same length)
        assert abs(alpha - other) <= 1, "a layer is read as its mask shows it"
    found = host.mask(document, key, bounds)
    assert found is not None
    for one, other in zip(found, strength):  # noqa: B905 (same length)
        assert abs(one - other) <= 1, (list(found[:16]), list(strength[:16]))
    outside = host.mask(document, key, Rect(2, 5, 2, 10))
    assert outside is not None and set(outside) == {0}
    assert host.visible(document, Rect(2, 7, 1, 1)) == ground
    assert host.visible(document, Rect(19, 7, 1, 1)).data[0] >= 250
    host.undo(document)
    assert host.stack(document) == before
    host.redo(document)
    assert len(host.stack(document)) == len(before) + 1
    assert host.visible(document, Rect(2, 7, 1, 1)) == ground
    host.close(document)


# ---- recipes and notes


def check_the_recipe_is_read_back_from_the_layer(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    by_hand = host.paint(document, "by hand", solid(8, 8, 9, 0, 0), 0, 0)
    (key,) = put(host, document, layer(solid(8, 8, 255, 0, 0)))
    text = host.editor.recipe(document, key)
    assert text is not None and json.loads(text)["prompt"] == RECIPE.prompt
    assert read_recipe(text) == RECIPE
    assert host.editor.recipe(document, by_hand) is None
    host.undo(document)
    host.redo(document)
    again = [each.key for each in host.editor.layers(document) if each.name == "paper lantern"]
    assert again and host.editor.recipe(document, again[0]) == text
    host.close(document)


def check_recipe_and_note_survive_saving_and_reopening(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    image = picture(12, 10)
    put(host, document, layer(image, 3, 4, "front"), layer(image, 0, 0, "back"), group="scene")
    note = bytes(range(256)) * 40
    host.editor.keep_note(document, note)
    marks = [each.mark or each.key for each in host.editor.layers(document)]
    document = host.reopen(document)
    assert host.editor.note(document) == note
    assert [each.mark or each.key for each in host.editor.layers(document)] == marks
    assert names(host, document) == ["scene", "front", "back"]
    (front,) = [each for each in host.editor.layers(document) if each.name == "front"]
    text = host.editor.recipe(document, front.key)
    assert text is not None and read_recipe(text) == RECIPE
    back = host.editor.read_layer(document, front.key, Rect(3, 4, 12, 10), "rgba8")
    assert_same(back, image)
    host.close(document)


def check_a_mark_is_kept_and_is_no_step_of_the_history(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    assert _described(host, document).mark == ""
    put(host, document, layer(solid(8, 8, 255, 0, 0)))
    mark = host.editor.mark(document)
    assert mark and host.editor.mark(document) == mark == _described(host, document).mark
    other = host.new_document(32, 32, host.kinds[0])
    assert host.editor.mark(other) != mark
    host.close(other)
    host.undo(document)
    assert names(host, document) == [], "giving a mark made an undo step"
    document = host.reopen(document)
    assert _described(host, document).mark == mark
    host.close(document)


def _described(host: Host, document: str) -> Document:
    return next(each for each in host.editor.documents() if each.key == document)


def check_a_note_is_kept_outside_the_undo_history(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    assert host.editor.note(document) == b""
    put(host, document, layer(solid(8, 8, 255, 0, 0)))
    host.editor.keep_note(document, b"first")
    host.editor.keep_note(document, b"second")
    assert host.editor.note(document) == b"second"
    host.undo(document)
    assert names(host, document) == [], "keeping a note made an undo step"
    assert host.editor.note(document) == b"second"
    host.close(document)


# ---- the host's own loop


def check_actions_are_called_later_on_the_hosts_own_thread(host: Host) -> None:
    came: list[int] = []
    worker = threading.Thread(
        target=lambda: host.editor.call_soon(lambda: came.append(threading.get_ident()))
    )
    worker.start()
    worker.join()
    host.settle()
    assert came == [threading.get_ident()]


def check_no_hand_is_painting_here(host: Host) -> None:
    assert host.editor.busy("closed") is False
    assert host.editor.name
