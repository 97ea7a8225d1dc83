"""The order of layers, groups, and undo."""

from __future__ import annotations

from acetate_bridge.editing.editor import LayerGone, Place, Refusal
from acetate_bridge.protocol.geometry import Rect
from tests.editors.contract_pictures import (
    assert_same,
    layer,
    names,
    picture,
    put,
    solid,
)
from tests.editors.host import Entry, Host, Kind

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


def check_the_active_layer_stays_until_the_painter_chooses_another(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    old = host.paint(document, "old", solid(16, 16, 9, 0, 0), 0, 0)
    found = host.editor.active_layer(document)
    assert found is not None and found.key == old and found.bounds == Rect(0, 0, 16, 16)
    (new,) = put(host, document, layer(solid(4, 4, 1, 2, 3), 2, 3), place=Place(old, below=True))
    host.settle()
    found = host.editor.active_layer(document)
    assert found is not None and found.key == old, "a result never becomes the active layer"
    host.editor.choose(document, new)
    host.settle()
    found = host.editor.active_layer(document)
    assert found is not None and found.key == new and found.bounds == Rect(2, 3, 4, 4)
    host.activate(document, old)
    host.settle()
    found = host.editor.active_layer(document)
    assert found is not None and found.key == old
    host.close(document)


def check_a_result_that_is_chosen_right_after_it_came_stays_active(host: Host) -> None:
    document = host.new_document(16, 16, host.kinds[0])
    old = host.paint(document, "old", solid(16, 16, 9, 0, 0), 0, 0)
    (new,) = put(host, document, layer(solid(4, 4, 1, 2, 3), 2, 3), place=Place(old))
    host.editor.choose(document, new)
    host.settle()
    found = host.editor.active_layer(document)
    assert found is not None and found.key == new
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


def check_what_is_gone_comes_back_beside_what_another_layer_takes_the_place_of(host: Host) -> None:
    document = host.new_document(32, 32, host.kinds[0])
    host.paint(document, "low", solid(32, 32, 9, 0, 0), 0, 0)
    small = solid(8, 8, 255, 0, 0)
    front, back = put(
        host, document, layer(small, name="front"), layer(small, name="back"), group="scene"
    )
    host.editor.remove(document, [back])
    before = host.stack(document)
    place = Place(front, below=True)
    one, other = layer(small, name="one"), layer(small, name="other")
    put(host, document, one, other, replaces=(front, back), place=place)
    after = [Entry("scene", 0, True), Entry("one", 1), Entry("other", 1), Entry("low")]
    assert host.stack(document) == after
    host.undo(document)
    assert host.stack(document) == before
    host.redo(document)
    assert host.stack(document) == after
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


def check_a_locked_layer_is_neither_replaced_nor_removed(host: Host) -> None:
    document = host.new_document(64, 48, host.kinds[0])
    host.paint(document, "paper", solid(64, 48, 200, 210, 220), 0, 0)
    kept, other = put(host, document, layer(picture(20, 20)), layer(picture(20, 20), name="other"))
    host.lock(document, kept, True)
    for attempt in (
        lambda: put(host, document, layer(picture(8, 8)), replaces=(other, kept)),
        lambda: host.editor.remove(document, [other, kept]),
    ):
        try:
            attempt()
        except Refusal as error:
            assert "is locked" in str(error), error
        else:
            raise AssertionError("a locked layer went")
        assert {kept, other} <= {each.key for each in host.editor.layers(document)}
    host.lock(document, kept, False)
    host.editor.remove(document, [kept])
    assert kept not in {each.key for each in host.editor.layers(document)}
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
