"""What holds in Krita beside the contract: clipped, cloned and styled layers, and parts of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from acetate_bridge.protocol.geometry import Rect
from tests.editors.host import Entry
from tests.editors.krita import zoo

_WHOLE = Rect(0, 0, zoo.WIDTH, zoo.HEIGHT)
_PART = zoo.SELECTED


def check_a_background_changes_nothing_of_what_clipped_layers_show(host: Any) -> None:
    document = host.build("clipped in a group")
    alone = host.visible(document, _WHOLE)
    stage = _asked(host, "background")
    stage.deliver()
    stack = host.stack(document)
    assert [each.name for each in stack[:3]] == ["figure", "shade", "active"], stack
    assert stack[3] == Entry("background 0") and stack[4].name == "paper", stack
    seen, base = host.visible(document, _WHOLE), zoo.BASE
    for x, y in ((_PART.right - 1, _PART.y + 1), (_PART.right - 2, _PART.bottom - 2)):
        assert not base.contains(Rect(x, y, 1, 1))
        assert _pixel(seen, x, y) == (250, 0, 10, 255), "the background, without the shade"
    middle = base.x + base.width // 2, base.y + base.height // 2
    assert _pixel(seen, *middle) == _pixel(alone, *middle), "the shade on the figure"
    host.undo(document)
    assert host.visible(document, _WHOLE) == alone
    _end(host, stage, document)


def check_a_part_is_not_seen_through_what_was_repainted_of_it(host: Any) -> None:
    document = host.build("half transparent")
    before = host.visible(document, _WHOLE)
    stage = _asked(host, "refine")
    stage.deliver()
    after = host.visible(document, _WHOLE)
    left, right, row = _PART.x + 2, _PART.right - 2, _PART.y + 3
    assert _pixel(after, left, row) == zoo.PAPER, "it is clear there, and so it is seen"
    assert _pixel(after, right, row) == (250, 0, 10, 255)
    outside = _PART.right + 2, _PART.bottom + 2
    assert _pixel(after, *outside) == _pixel(before, *outside) != zoo.PAPER, "the rest is there"
    host.undo(document)
    assert host.visible(document, _WHOLE) == before
    host.redo(document)
    assert host.visible(document, _WHOLE) == after
    stage.press("refresh")
    stage.press("discard")
    assert host.visible(document, _WHOLE) == before
    assert host.stack(document) == [Entry("active"), Entry("paper")]
    _end(host, stage, document)


def check_what_a_clone_shows_is_hidden_where_it_would_be_replaced(host: Any) -> None:
    document = host.build("cloned")
    stage = _asked(host, "refine", "replace")
    said = "“clone” is a clone of “active”, which is hidden, not replaced."
    assert said in stage.where(), stage.where()
    stage.deliver()
    names = [each.name for each in host.stack(document)]
    assert names == ["clone", "foreground 0", "active"], (names, stage.said())
    assert stage.offered() == ""
    _end(host, stage, document)


def check_a_style_stays_on_a_layer_that_is_replaced(host: Any) -> None:
    document = host.build("styled")
    (old,) = host.editor.layers(document)
    style = host.style(document, old.key)
    assert style
    stage = _asked(host, "refine", "replace")
    stage.deliver()
    (new,) = host.editor.layers(document)
    assert new.key != old.key and host.style(document, new.key) == style
    _end(host, stage, document)


def check_the_strip_follows_an_undo_of_what_was_discarded(host: Any) -> None:
    document = host.build("half transparent")
    stage = _asked(host, "text")
    stage.deliver()
    for _time in range(2):
        assert stage.strip() == [True]
        stage.press("discard")
        assert stage.strip() == []
        host.undo(document)
        stage.press("refresh")
    assert stage.strip() == [True]
    _end(host, stage, document)


def cases(host: Any) -> Iterator[tuple[str, Callable[..., None], tuple[Any, ...]]]:
    """Every check, as `contract_runner.cases` has them."""
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            yield name, check, (host,)


def _asked(host: Any, mode: str, after: str = "hide") -> Any:
    """A panel that has been asked for a layer of a mode, while "active" is the active layer."""
    document = host.editor.active_document().key
    layers = host.editor.layers(document)
    host.activate(document, next(each.key for each in layers if each.name == "active"))
    stage = host.open_panel()
    stage.press("set_field", "after_repaint", after)
    assert stage.ask(mode), stage.said()
    return stage


def _end(host: Any, stage: Any, document: str) -> None:
    stage.close()
    host.close(document)


def _pixel(image: Any, x: int, y: int) -> tuple[int, ...]:
    at = 4 * (y * image.width + x)
    return tuple(image.data[at : at + 4])
