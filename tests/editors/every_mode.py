"""Every mode of the panel's menu with the model that ships, in a document of any editor.

A layer with the right kind of content comes to the right place, nothing else changes, and it goes
again. The walk is a generator, and the host's own loop has to turn wherever it yields. Python 3.10
and no pytest: this runs inside editors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from acetate_bridge.editing.editor import LayerInfo
from acetate_bridge.panel.view import Actions
from tests.editors.host import Zoo
from tests.editors.measures import Placed, drawn
from tests.editors.mode_cases import CANVAS, CASES, Case, Found, blue_ball, circle, paper
from tests.editors.patience import NotInTime

Turns = Iterator[None]

_LONG = 300.0
_STEPS = 2
_FOLDER, _DRAWING = "folder", "drawing"


def ready(panel: Actions) -> Turns:
    """Wait for the server and its models."""
    yield from _until(panel, lambda: panel.view.status.sentence.startswith("Ready"))


def walk(host: Zoo, panel: Actions, name: str, look: Callable[[], None] = lambda: None) -> Turns:
    """Paint one of `CASES`; `look` is called while its layers are in the document.

    Raises AssertionError with what went wrong, NotInTime where something never came.
    """
    case = CASES[name]
    document = _document(host, case)
    try:
        yield from _turns(host, panel)
        active = _find(host, document, "active")
        host.activate(document, active.key)
        yield from _turns(host, panel)
        yield from _ask(host, panel, case, document)
        before = host.fingerprint(document, frozenset())
        known = {each.key for each in host.editor.layers(document)}
        seen = Placed(host.visible(document, CANVAS), CANVAS)
        panel.generate()
        assert panel.view.running, panel.view.status.sentence
        yield from _until(panel, lambda: not panel.view.running)
        yield from _until(panel, lambda: bool(_new(host, document, known)), "nothing was inserted")
        yield from _turns(host, panel)
        new = _new(host, document, known)
        ours = frozenset(each.key for each in new)
        hidden = host.hides(before) if _hides(host, document) else ()
        _same(before, host.fingerprint(document, ours), hidden)
        look()
        stack = _stack(host.editor.layers(document), known)
        assert stack == [*case.stack], stack
        layers = [_placed(host, document, each) for each in new if not each.group]
        now = Placed(host.visible(document, CANVAS), CANVAS)
        found = Found(layers, _placed(host, document, active), seen, now)
        case.check(found)
        panel.discard()
        yield from _turns(host, panel)
        assert not _new(host, document, known), "a discarded layer stayed"
        _same(before, host.fingerprint(document, frozenset()))
    finally:
        for index in range(len(panel.view.lists["follow"].entries)):
            panel.remove_entry("follow", index)
        panel.set_guides_open(False)
        # Krita crashes when it draws a selection of a document that is closed.
        host.select_nothing(document)
        yield from _turns(host, panel)
        host.close(document)
        yield from _turns(host, panel)


def _document(host: Zoo, case: Case) -> str:
    document = host.new_document(CANVAS.width, CANVAS.height, host.kinds[0])
    host.paint(document, "paper", drawn(CANVAS, paper), 0, 0)
    group = host.make_group(document, _FOLDER)
    place = case.bounds
    host.paint(document, "active", drawn(place, case.active), place.x, place.y, group)
    drawing = blue_ball if case.follow == "reference" else circle
    host.paint(document, _DRAWING, drawn(CANVAS, drawing), 0, 0)
    return document


def _ask(host: Zoo, panel: Actions, case: Case, document: str) -> Turns:
    active = _find(host, document, "active")
    panel.set_guides_open(True)
    if case.follow:
        host.activate(document, _find(host, document, _DRAWING).key)
        yield from _turns(host, panel)
        panel.refresh()
        panel.add_entry("follow")
        panel.set_cell("follow", 0, "kind", case.follow)
        host.activate(document, active.key)
        yield from _turns(host, panel)
    if case.selection is not None:
        host.select(document, case.selection)
        yield from _turns(host, panel)
    panel.refresh()
    panel.set_mode(case.mode)
    panel.set_prompt(case.prompt)
    for role, words in case.layer_prompts.items():
        panel.set_layer_prompt(role, words)
    for name, value in {"steps": _STEPS, "seed": 7, **case.fields}.items():
        panel.set_field(name, value)
    while panel.view.lists["then"].entries:
        panel.remove_entry("then", 0)
    if case.then:
        panel.add_entry("then")
        panel.set_cell("then", 0, "words", case.then)
    assert panel.view.can_generate, panel.view.why_not


def _turns(host: Zoo, panel: Actions, count: int = 5) -> Turns:
    """Let the host do what it has put off."""
    for _ in range(count):
        yield
    # Krita has more to do after an insertion.
    yield from _until(panel, lambda: getattr(host.editor, "settled", True), "it goes on")
    panel.refresh()


def _until(panel: Actions, true: Callable[[], bool], otherwise: str = "") -> Turns:
    until = time.monotonic() + _LONG
    while not true():
        status = panel.view.status
        words = f"{otherwise}: {status.sentence} {panel.view.why_not}"
        assert status.severity != "problem", words
        if time.monotonic() > until:
            raise NotInTime(words)
        yield


def _find(host: Zoo, document: str, name: str) -> LayerInfo:
    return next(each for each in host.editor.layers(document) if each.name == name)


def _new(host: Zoo, document: str, known: set[str]) -> list[LayerInfo]:
    return [each for each in host.editor.layers(document) if each.key not in known]


def _hides(host: Zoo, document: str) -> bool:
    return _find(host, document, "active").hidden


def _placed(host: Zoo, document: str, layer: LayerInfo) -> Placed:
    assert layer.bounds is not None, f"nothing is on {layer.name}"
    image = host.editor.read_own(document, layer.key, layer.bounds, "rgba8")
    return Placed(image, layer.bounds)


def _stack(layers: list[LayerInfo], known: set[str]) -> list[str]:
    levels = {"": 0}
    found: list[str] = []
    for each in layers:
        level = levels[each.parent]
        levels[each.key] = level + 1
        name = each.name if each.key in known else "GROUP" if each.group else "NEW"
        found.append("  " * level + name)
    return found


def _same(before: dict[str, object], after: dict[str, object], but: tuple[str, ...] = ()) -> None:
    for key in before.keys() | after.keys():
        if key not in but:
            was, now = before.get(key), after.get(key)
            assert was == now, f"{key} was {was}, and is {now}"
