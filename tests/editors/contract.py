"""What every adapter must fulfil, in every editor: called by pytest outside, by the runner inside.

Plain functions `check_…(host)`; one that takes a `kind` runs for each kind of document.
"""

from __future__ import annotations

import json
import struct

from acetate_bridge.editor import DocumentClosed, Insertion, LayerGone, Place, Selection
from acetate_bridge.geometry import Rect
from acetate_bridge.messages import Image, Layer, PixelFormat, Recipe, Role
from acetate_bridge.recipes import read_recipe
from tests.editors.host import Entry, Host, Kind

RECIPE = Recipe("text", "a paper lantern, “glowing”", seed=2**40 + 7, steps=9, width=128, height=64)


def picture(width: int, height: int, pixel_format: PixelFormat = "rgba8", turn: int = 0) -> Image:
    """Every channel different, all alphas from clear to solid, colour under alpha 0 included."""
    most = 255 if pixel_format == "rgba8" else 65535
    samples: list[int] = []
    for y in range(height):
        for x in range(width):
            samples += (
                (x * most // max(1, width - 1) + turn) % (most + 1),
                y * most // max(1, height - 1),
                (x * 7 + y * 13 + turn) * 257 % (most + 1),
                (0, most, most // 2, most // 5, 1)[(x + y) % 5],
            )
    if pixel_format == "rgba8":
        return Image(width, height, bytes(samples))
    return Image(width, height, struct.pack(f"<{len(samples)}H", *samples), "rgba16")


def solid(width: int, height: int, red: int, green: int, blue: int, alpha: int = 255) -> Image:
    return Image(width, height, bytes((red, green, blue, alpha)) * (width * height))


def layer(
    image: Image, x: int = 0, y: int = 0, name: str = "paper lantern", recipe: Recipe = RECIPE
) -> Layer:
    return Layer(image, Role.FOREGROUND, name, x, y, recipe)


def samples_of(image: Image) -> list[int]:
    if image.format == "rgba8":
        return list(image.data)
    return list(struct.unpack(f"<{len(image.data) // 2}H", image.data))


def assert_same(
    found: Image, expected: Image, off_by: int = 0, colour_under_0: bool = True
) -> None:
    """Same size and samples; says where they differ first and by how much at most."""
    assert (found.width, found.height) == (expected.width, expected.height), (found, expected)
    assert found.format == expected.format
    there, wanted = samples_of(found), samples_of(expected)
    worst, first = 0, ""
    for index, (one, other) in enumerate(zip(there, wanted)):  # noqa: B905 (same length)
        if not colour_under_0 and wanted[index - index % 4 + 3] == 0 and index % 4 != 3:
            continue
        if abs(one - other) > max(worst, off_by):
            worst = abs(one - other)
            x, y = index // 4 % found.width, index // 4 // found.width
            first = f"channel {'RGBA'[index % 4]} at {x}, {y}: {one}, not {other}"
    assert worst <= off_by, f"off by {worst}: {first}"


def put(host: Host, document: str, *layers: Layer, **options: object) -> list[str]:
    return host.editor.insert(document, Insertion(tuple(layers), **options))  # type: ignore[arg-type]


def names(host: Host, document: str) -> list[str]:
    return [entry.name for entry in host.stack(document)]


# ---- documents


def check_a_new_document_is_described(host: Host, kind: Kind) -> None:
    document = host.new_document(96, 64, kind)
    found = host.editor.active_document()
    assert found is not None and found.key == document
    assert (found.size.width, found.size.height) == (96, 64)
    assert found.deep == kind.deep and bool(found.colour) != kind.keeps_colour
    assert found.key in [each.key for each in host.editor.documents()]
    host.close(document)


def check_a_closed_document_is_said_to_be_closed(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    painted = host.paint(document, "old", solid(8, 8, 255, 0, 0), 0, 0)
    host.close(document)
    editor = host.editor
    region = Rect(0, 0, 8, 8)
    calls = {
        "layers": lambda: editor.layers(document),
        "active_layer": lambda: editor.active_layer(document),
        "selection": lambda: editor.selection(document),
        "read_layer": lambda: editor.read_layer(document, painted, region, "rgba8"),
        "read_below": lambda: editor.read_below(document, None, region, "rgba8"),
        "insert": lambda: put(host, document, layer(solid(8, 8, 1, 2, 3))),
        "remove": lambda: editor.remove(document, [painted]),
        "recipe": lambda: editor.recipe(document, painted),
        "note": lambda: editor.note(document),
        "keep_note": lambda: editor.keep_note(document, b"x"),
    }
    for name, call in calls.items():
        try:
            call()
        except DocumentClosed:
            continue
        raise AssertionError(f"{name} went on with a closed document")
    assert document not in [each.key for each in editor.documents()]


# ---- pixels and places


def check_pixels_come_back_exactly(host: Host, kind: Kind) -> None:
    if not kind.keeps_colour:
        return
    document = host.new_document(64, 48, kind)
    formats: list[PixelFormat] = ["rgba8", "rgba16"] if kind.deep else ["rgba8"]
    for pixel_format in formats:
        off_by = kind.off_by8 if pixel_format == "rgba8" else kind.off_by16
        image = picture(40, 30, pixel_format)
        (key,) = put(host, document, layer(image, 5, 7))
        back = host.editor.read_layer(document, key, Rect(5, 7, 40, 30), pixel_format)
        assert_same(back, image, off_by)
        assert host.bounds(document, key) == Rect(5, 7, 40, 30)
    host.close(document)


def check_a_document_without_colour_refuses_until_converted(host: Host, kind: Kind) -> None:
    if kind.keeps_colour:
        return
    document = host.new_document(32, 32, kind)
    before = host.stack(document)
    try:
        put(host, document, layer(solid(8, 8, 200, 100, 50)))
    except ValueError as error:
        assert len(str(error)) > 10, "a sentence for the painter"
    else:
        raise AssertionError("colour was lost silently")
    assert host.stack(document) == before
    found = host.editor.active_document()
    assert found is not None
    if found.can_convert:
        host.editor.convert_to_colour(document)
        found = host.editor.active_document()
        assert found is not None and found.key == document and found.colour == ""
        (key,) = put(host, document, layer(solid(8, 8, 200, 100, 50)))
        back = host.editor.read_layer(document, key, Rect(0, 0, 8, 8), "rgba8")
        assert_same(back, solid(8, 8, 200, 100, 50))
    host.close(document)


def check_the_painters_own_pixels_are_read_exactly(host: Host, kind: Kind) -> None:
    if not kind.keeps_colour:
        return
    document = host.new_document(64, 48, kind)
    image = picture(20, 16, turn=31)
    key = host.paint(document, "by hand", image, 9, 4)
    back = host.editor.read_layer(document, key, Rect(9, 4, 20, 16), "rgba8")
    assert_same(back, image, kind.off_by8)
    host.close(document)


def check_a_layer_is_transparent_outside_itself(host: Host) -> None:
    document = host.new_document(64, 48, host.kinds[0])
    image = picture(6, 5)
    key = host.paint(document, "small", image, 10, 12)
    back = host.editor.read_layer(document, key, Rect(8, 11, 10, 8), "rgba8")
    for y in range(8):
        for x in range(10):
            pixel = back.data[(y * 10 + x) * 4 :][:4]
            if 2 <= x < 8 and 1 <= y < 6:
                assert pixel == image.data[((y - 1) * 6 + x - 2) * 4 :][:4], (x, y)
            else:
                assert pixel[3] == 0, (x, y)
    host.close(document)


def check_layers_may_leave_the_canvas(host: Host) -> None:
    document = host.new_document(64, 48, host.kinds[0])
    image = picture(40, 30)
    for x, y in ((-17, -9), (50, 40), (-100, 60)):
        (key,) = put(host, document, layer(image, x, y))
        assert host.bounds(document, key) == Rect(x, y, 40, 30)
        back = host.editor.read_layer(document, key, Rect(x, y, 40, 30), "rgba8")
        assert_same(back, image)
    host.close(document)


def check_half_transparent_pixels_look_as_they_were_painted(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    host.paint(document, "ground", solid(16, 16, 0, 0, 0), 0, 0)
    put(host, document, layer(solid(16, 16, 255, 128, 0, 128)))
    seen = host.visible(document, Rect(4, 4, 1, 1))
    for found, wanted in zip(seen.data, (128, 64, 0, 255)):  # noqa: B905 (same length)
        assert abs(found - wanted) <= 1, (tuple(seen.data), "composited in linear light?")
    host.close(document)


# ---- what lies below


def check_what_lies_below_a_layer(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    red = host.paint(document, "red", solid(16, 16, 255, 0, 0), 0, 0)
    green = host.paint(document, "green", solid(16, 16, 0, 255, 0), 0, 0)
    host.paint(document, "blue", solid(16, 16, 0, 0, 255), 0, 0)
    before = host.stack(document)
    region = Rect(3, 3, 4, 4)
    below = host.editor.read_below

    assert_same(below(document, None, region, "rgba8"), solid(4, 4, 0, 0, 255))
    assert_same(below(document, green, region, "rgba8"), solid(4, 4, 255, 0, 0))
    assert_same(below(document, green, region, "rgba8", True), solid(4, 4, 0, 255, 0))
    assert set(below(document, red, region, "rgba8").data[3::4]) == {0}
    assert host.stack(document) == before
    host.undo(document)
    assert names(host, document) == ["green", "red"], "looking left a trace in the undo history"
    host.close(document)


def check_what_lies_below_a_layer_in_a_group(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    host.paint(document, "red", solid(16, 16, 255, 0, 0), 0, 0)
    group = host.make_group(document, "scene")
    host.paint(document, "low", solid(8, 16, 0, 255, 0), 0, 0, group)
    middle = host.paint(document, "middle", solid(16, 16, 0, 0, 255), 0, 0, group)
    host.paint(document, "high", solid(16, 16, 9, 9, 9), 0, 0, group)
    region = Rect(6, 4, 4, 1)
    seen = host.editor.read_below(document, middle, region, "rgba8")
    assert seen.data == bytes((0, 255, 0, 255) * 2 + (255, 0, 0, 255) * 2)
    seen = host.editor.read_below(document, group, region, "rgba8")
    assert seen.data == bytes((255, 0, 0, 255) * 4)
    host.close(document)


def check_nothing_is_seen_outside_the_canvas(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    host.paint(document, "large", solid(40, 40, 255, 0, 0), -10, -10)
    seen = host.editor.read_below(document, None, Rect(-2, 0, 4, 1), "rgba8")
    assert seen.data[3::4] == bytes((0, 0, 255, 255))
    host.close(document)


# ---- the stack


def check_a_layer_goes_above_or_below_another(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    host.paint(document, "low", solid(16, 16, 9, 0, 0), 0, 0)
    middle = host.paint(document, "middle", solid(16, 16, 0, 9, 0), 0, 0)
    host.paint(document, "high", solid(16, 16, 0, 0, 9), 0, 0)
    small = solid(4, 4, 1, 2, 3)
    (above,) = put(host, document, layer(small, name="above"), place=Place(middle))
    put(host, document, layer(small, name="below"), place=Place(middle, below=True))
    put(host, document, layer(small, name="top"))
    put(host, document, layer(small, name="bottom"), place=Place(below=True))
    put(host, document, layer(small, name="also top"), place=Place("no such layer"))
    expected = ["also top", "top", "high", "above", "middle", "below", "low", "bottom"]
    assert names(host, document) == expected
    assert [each.name for each in host.editor.layers(document)] == expected
    assert above in [each.key for each in host.editor.layers(document)]
    host.close(document)


def check_the_new_layer_is_the_active_one(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    old = host.paint(document, "old", solid(16, 16, 9, 0, 0), 0, 0)
    found = host.editor.active_layer(document)
    assert found is not None and found.key == old and found.bounds == Rect(0, 0, 16, 16)
    (new,) = put(host, document, layer(solid(4, 4, 1, 2, 3), 2, 3), place=Place(old, below=True))
    host.settle()
    found = host.editor.active_layer(document)
    assert found is not None and found.key == new and found.bounds == Rect(2, 3, 4, 4)
    host.activate(document, old)
    host.settle()
    found = host.editor.active_layer(document)
    assert found is not None and found.key == old
    host.close(document)


def check_a_layer_goes_into_the_group_of_its_neighbour(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    group = host.make_group(document, "scene")
    inner = host.paint(document, "inner", solid(8, 8, 9, 0, 0), 4, 4, group)
    image = picture(12, 10)
    (key,) = put(host, document, layer(image, -3, 20, "beside"), place=Place(inner))
    assert host.stack(document) == [
        Entry("scene", 0, True),
        Entry("beside", 1),
        Entry("inner", 1),
    ]
    back = host.editor.read_layer(document, key, Rect(-3, 20, 12, 10), "rgba8")
    assert_same(back, image)
    host.close(document)


def check_a_scene_becomes_one_group_in_one_undo_step(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    low = host.paint(document, "low", solid(32, 32, 9, 0, 0), 0, 0)
    before = host.stack(document)
    front, back = picture(12, 10), solid(32, 32, 1, 2, 3)
    keys = put(
        host,
        document,
        layer(front, 5, 6, "front"),
        layer(back, 0, 0, "back"),
        group="harbour",
        place=Place(low),
    )
    after = host.stack(document)
    assert after == [Entry("harbour", 0, True), Entry("front", 1), Entry("back", 1), *before]
    assert len(keys) == 2
    found = host.editor.read_layer(document, keys[0], Rect(5, 6, 12, 10), "rgba8")
    assert_same(found, front)
    (group,) = [each for each in host.editor.layers(document) if each.group]
    assert group.name == "harbour"
    inside = [each.key for each in host.editor.layers(document) if each.parent == group.key]
    assert inside == keys
    host.undo(document)
    assert host.stack(document) == before
    host.redo(document)
    assert host.stack(document) == after
    host.close(document)


# ---- undo


def check_an_insertion_is_one_undo_step(host: Host, kind: Kind) -> None:
    if not kind.keeps_colour:
        return
    document = host.new_document(32, 32, kind)
    host.paint(document, "low", solid(32, 32, 9, 0, 0), 0, 0)
    before, seen_before = host.stack(document), host.visible(document, Rect(0, 0, 32, 32))
    put(host, document, layer(picture(20, 20), -4, 6))
    after, seen_after = host.stack(document), host.visible(document, Rect(0, 0, 32, 32))
    assert len(after) == len(before) + 1 and seen_after != seen_before
    host.undo(document)
    assert host.stack(document) == before
    assert host.visible(document, Rect(0, 0, 32, 32)) == seen_before
    host.redo(document)
    assert host.stack(document) == after
    assert host.visible(document, Rect(0, 0, 32, 32)) == seen_after
    host.close(document)


def check_another_result_takes_the_place_of_the_first_in_one_undo_step(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    host.paint(document, "low", solid(32, 32, 9, 0, 0), 0, 0)
    (first,) = put(host, document, layer(solid(8, 8, 255, 0, 0), 2, 2, "first"))
    host.paint(document, "high", solid(4, 4, 0, 0, 9), 20, 20)
    before = host.stack(document)
    (second,) = put(
        host, document, layer(solid(8, 8, 0, 255, 0), 2, 2, "second"), replaces=(first,)
    )
    after = host.stack(document)
    assert [entry.name for entry in after] == ["high", "second", "low"]
    assert host.editor.recipe(document, second) is not None
    host.undo(document)
    assert host.stack(document) == before
    assert host.visible(document, Rect(4, 4, 1, 1)).data == bytes((255, 0, 0, 255))
    host.redo(document)
    assert host.stack(document) == after
    assert host.visible(document, Rect(4, 4, 1, 1)).data == bytes((0, 255, 0, 255))
    host.close(document)


def check_replacing_what_the_painter_deleted_inserts_anew(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    host.paint(document, "low", solid(32, 32, 9, 0, 0), 0, 0)
    (first,) = put(host, document, layer(solid(8, 8, 255, 0, 0), 2, 2, "first"))
    host.editor.remove(document, [first])
    assert names(host, document) == ["low"]
    put(host, document, layer(solid(8, 8, 0, 255, 0), 2, 2, "second"), replaces=(first,))
    assert names(host, document) == ["second", "low"]
    host.close(document)


def check_removing_is_one_undo_step_and_forgives_what_is_gone(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    keys = [
        put(host, document, layer(solid(8, 8, 255, 0, 0), name=name))[0]
        for name in ("one", "two", "three")
    ]
    before = host.stack(document)
    host.editor.remove(document, [keys[0], "no such layer", keys[2]])
    assert names(host, document) == ["two"]
    host.undo(document)
    assert host.stack(document) == before
    host.close(document)


def check_a_layer_that_is_gone_is_said_to_be_gone(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    (key,) = put(host, document, layer(solid(8, 8, 255, 0, 0)))
    host.editor.remove(document, [key])
    region = Rect(0, 0, 8, 8)
    for read in (host.editor.read_layer, host.editor.read_below):
        try:
            read(document, key, region, "rgba8")
        except LayerGone:
            continue
        raise AssertionError(f"{read.__name__} read a layer that is gone")
    assert host.editor.recipe(document, key) is None
    host.close(document)


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
    before = host.stack(document)
    bounds = Rect(4, 6, 16, 8)
    strength = bytes(min(255, x * 17) for _ in range(8) for x in range(16))
    image = solid(20, 10, 255, 255, 255)
    (key,) = put(host, document, layer(image, 2, 5), mask=Selection(bounds, strength))
    assert_same(
        host.editor.read_layer(document, key, Rect(2, 5, 20, 10), "rgba8"), image, kind.off_by8
    )
    found = host.mask(document, key, bounds)
    assert found is not None
    for one, other in zip(found, strength):  # noqa: B905 (same length)
        assert abs(one - other) <= 1, (list(found[:16]), list(strength[:16]))
    outside = host.mask(document, key, Rect(2, 5, 2, 10))
    assert outside is not None and set(outside) == {0}
    assert host.visible(document, Rect(2, 7, 1, 1)).data[0] <= 1
    assert host.visible(document, Rect(19, 7, 1, 1)).data[0] >= 250
    host.undo(document)
    assert host.stack(document) == before
    host.redo(document)
    assert len(host.stack(document)) == len(before) + 1
    assert host.visible(document, Rect(2, 7, 1, 1)).data[0] <= 1
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
    document = host.reopen(document)
    assert host.editor.note(document) == note
    assert names(host, document) == ["scene", "front", "back"]
    (front,) = [each for each in host.editor.layers(document) if each.name == "front"]
    text = host.editor.recipe(document, front.key)
    assert text is not None and read_recipe(text) == RECIPE
    back = host.editor.read_layer(document, front.key, Rect(3, 4, 12, 10), "rgba8")
    assert_same(back, image)
    host.close(document)


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
    import threading

    came: list[int] = []
    worker = threading.Thread(
        target=lambda: host.editor.call_soon(lambda: came.append(threading.get_ident()))
    )
    worker.start()
    worker.join()
    host.settle()
    assert came == [threading.get_ident()]


def check_no_hand_is_painting_here(host: Host) -> None:
    assert host.editor.busy() is False
    assert host.editor.name
