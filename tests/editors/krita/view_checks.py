"""When a view is made to forget what was active in it; run by `panel_checks`."""

from __future__ import annotations

from acetate_krita.adapter.view_turns import ViewTurns


class _Node:
    def __init__(self, parent: _Node | None) -> None:
        self.parent = parent

    def parentNode(self) -> _Node | None:  # noqa: N802 (Krita's name)
        return self.parent

    def type(self) -> str:
        return "paintlayer"


class _Document:
    """A layer in each of its views; `chosen` is what was made active, one after the other."""

    def __init__(self) -> None:
        self.root, self.chosen = _Node(None), list[_Node]()

    def rootNode(self) -> _Node:  # noqa: N802 (Krita's name)
        return self.root

    def setActiveNode(self, node: _Node) -> None:  # noqa: N802 (Krita's name)
        self.chosen.append(node)


class _View:
    def __init__(self, document: _Document) -> None:
        self.shown, self.node = document, _Node(document.root)

    def document(self) -> _Document:
        return self.shown

    def selectedNodes(self) -> list[_Node]:  # noqa: N802 (Krita's name)
        return [self.node]


class _Krita:
    """The application, its only window, and the documents in it: one view is in front."""

    def __init__(self) -> None:
        self.drawing, self.other = _Document(), _Document()
        self.front = _View(self.drawing)
        self.backs = 0
        self.turns = ViewTurns(self, self)

    def activeWindow(self) -> _Krita:  # noqa: N802 (Krita's name)
        return self

    def activeView(self) -> _View:  # noqa: N802 (Krita's name)
        return self.front

    def action(self, name: str) -> _Krita:
        assert name == "switchToPreviouslyActiveNode"
        return self

    def trigger(self) -> None:
        self.backs += 1

    def all(self) -> dict[str, _Document]:
        return {"drawing": self.drawing, "other": self.other}

    def active(self) -> tuple[str, _Document]:
        return next(each for each in self.all().items() if each[1] is self.front.shown)

    def turn(self, view: _View) -> None:
        self.front = view
        self.turns.turned()


def check_a_view_keeps_what_is_chosen_while_only_other_documents_are_in_front() -> None:
    krita = _Krita()
    one, other = krita.front, _View(krita.other)
    for view in (one, other, one, other, one):
        krita.turn(view)
    krita.turns.changed("drawing")
    krita.turn(one)
    assert krita.drawing.chosen == [] == krita.other.chosen and not krita.backs


def check_a_view_chooses_its_layer_anew_after_another_one_of_its_document() -> None:
    krita = _Krita()
    one, two = krita.front, _View(krita.drawing)
    for view in (one, two):
        krita.turn(view)
    assert krita.drawing.chosen == [], "nothing has gone from a view that is new"
    for view in (one, two, two):
        krita.turn(view)
    assert krita.drawing.chosen == [krita.drawing.root] * 2 and krita.backs == 2


def check_a_view_chooses_its_layer_anew_after_we_changed_its_document_behind_it() -> None:
    krita = _Krita()
    one = krita.front
    krita.turn(one)
    krita.turn(_View(krita.other))
    krita.turns.changed("drawing")
    for _time in range(2):
        krita.turn(one)
    assert krita.drawing.chosen == [krita.drawing.root] and krita.backs == 1, "once"
