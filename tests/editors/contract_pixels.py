"""Documents, exact pixels and places, and what lies below."""

from __future__ import annotations

from acetate_bridge.editing.editor import DocumentClosed
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import PixelFormat
from tests.editors.contract_pictures import (
    assert_same,
    layer,
    names,
    picture,
    put,
    solid,
)
from tests.editors.host import Host, Kind

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
    blue = host.paint(document, "blue", solid(16, 16, 0, 0, 255), 0, 0)
    before = host.stack(document)
    region = Rect(3, 3, 4, 4)
    below = host.editor.read_below

    assert_same(below(document, None, region, "rgba8"), solid(4, 4, 0, 0, 255))
    assert_same(below(document, green, region, "rgba8"), solid(4, 4, 255, 0, 0))
    assert_same(below(document, green, region, "rgba8", True), solid(4, 4, 0, 255, 0))
    assert set(below(document, red, region, "rgba8").data[3::4]) == {0}
    unseen = below(document, None, region, "rgba8", without=(blue,))
    assert_same(unseen, solid(4, 4, 0, 255, 0))
    unseen = below(document, blue, region, "rgba8", True, (blue, green))
    assert_same(unseen, solid(4, 4, 255, 0, 0))
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
