"""The painter's work is untouchable: told as stories over stacks like a painter's.

Before and after every deed all that Acetate did not make is the same (see `Host.fingerprint`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.editors.host import Host, Zoo
from tests.editors.stage import SCENE, Stage

Print = dict[str, object]


class Story:
    """A document with a stack, its panel, and how it was before anything was done."""

    def __init__(self, host: Zoo, stack: str) -> None:
        self.host = host
        self.document = host.build(stack)
        layers = host.editor.layers(self.document)
        active = next(layer.key for layer in layers if layer.name == "active")
        host.activate(self.document, active)
        self.stage: Stage = host.open_panel()
        self.before = self.print()

    def print(self) -> Print:
        """All that Acetate did not make."""
        return self.host.fingerprint(self.document, self.ours())

    def ours(self) -> frozenset[str]:
        """The layers with a recipe, and the groups of scenes."""
        editor = self.host.editor
        return frozenset(
            layer.key
            for layer in editor.layers(self.document)
            if (layer.group and layer.name == SCENE)
            or editor.recipe(self.document, layer.key) is not None
        )

    def untouched(self, after: str, but: tuple[str, ...] = ()) -> None:
        """Raise AssertionError unless everything is as it was; `but` are names of entries."""
        found = self.print()
        for key in self.before.keys() | found.keys():
            was, now = self.before.get(key), found.get(key)
            if was != now and key not in but:
                raise AssertionError(f"after {after}: {key} was {was}, and is {now}")

    def press(self, action: str, *values: object) -> None:
        self.stage.press(action, *values)
        self.untouched(action)

    def undo(self, times: int = 1) -> None:
        for _time in range(times):
            self.host.undo(self.document)

    def close(self) -> None:
        self.stage.close()
        self.host.close(self.document)


def _results(story: Story) -> None:
    """Two results are swapped, kept, discarded, undone and redone."""
    stage = story.stage
    stage.press("set_field", "variants", 2)
    assert stage.ask("text"), stage.said()
    story.untouched("asking")
    stage.deliver(2)
    story.untouched("the first result")
    assert story.ours(), "it is in the document"
    story.press("swap", 1)
    story.host.undo(story.document)
    story.untouched("undoing the swap")
    story.host.redo(story.document)
    story.untouched("redoing the swap")
    stage.press("refresh")
    story.press("keep", 1)
    story.press("swap", 0)
    story.press("discard")
    assert len(story.ours()) == 1, "the kept one"
    story.undo(4)
    story.untouched("undoing all of it")
    assert not story.ours()


def _background(story: Story) -> None:
    """A background goes below its layer, twice, and both go again."""
    stage = story.stage
    if not stage.ask("background"):
        return
    stage.deliver()
    story.untouched("the background")
    story.press("another_try")
    stage.deliver()
    story.untouched("another background")
    assert len(story.ours()) == 2
    story.undo()
    story.untouched("undoing a background")
    assert len(story.ours()) == 1
    story.undo()
    story.untouched("undoing both")
    assert not story.ours()
    story.host.redo(story.document)
    story.untouched("redoing a background")
    assert len(story.ours()) == 1


def _repainting(story: Story) -> None:
    """A repainting hides its source and nothing else, and discarding it shows it again.

    It mixes with what is below as its source did.
    """
    stage = story.stage
    painted = story.host.editor.active_layer(story.document)
    if painted is None or not stage.ask("refine"):
        return
    mixing = story.host.mixing(story.document, painted.key)
    source = story.host.hides(story.before)
    stage.deliver()
    story.untouched("repainting", source)
    (new,) = story.ours()
    assert story.host.mixing(story.document, new) == mixing
    story.undo()
    story.untouched("undoing a repainting")
    story.host.redo(story.document)
    story.untouched("redoing a repainting", source)
    stage.press("refresh")
    story.press("discard")
    assert not story.ours()
    _the_newest_on_top(story)


def _the_newest_on_top(story: Story) -> None:
    """Another try lies directly above the result before it, and that above its source."""
    stage, active = story.stage, story.host.editor.active_layer(story.document)
    assert active is not None and stage.ask("refine")
    stage.deliver()
    (first,) = story.ours()
    stage.press("another_try")
    stage.deliver()
    (second,) = story.ours() - {first}
    layers = story.host.editor.layers(story.document)
    own = next(each for each in layers if each.key == active.key)
    siblings = [each.key for each in layers if each.parent == own.parent]
    source = siblings.index(active.part_of or active.key)
    assert siblings[max(0, source - 2) : source] == [second, first]
    stage.press("discard")
    story.undo(3)
    story.untouched("undoing another try")


def _anew(story: Story) -> None:
    """A result is painted anew and discarded: the old one is back; a job is cancelled."""
    stage = story.stage
    assert stage.ask("text")
    stage.deliver()
    (old,) = story.ours()
    active = ("active",)
    stage.press("swap", 0)
    story.untouched("choosing a result", active)
    asked = stage.asked()
    stage.press("regenerate")
    assert stage.asked() == asked + 1, stage.said()
    stage.deliver()
    story.untouched("painting anew", active)
    assert len(story.ours()) == 1 and old not in story.ours()
    stage.press("discard")
    story.untouched("discarding what was painted anew", active)
    assert len(story.ours()) == 1, "the old layer is back"
    stage.press("set_mode", "text")
    stage.press("generate")
    stage.press("cancel")
    stage.cancelled()
    story.untouched("cancelling", active)


def _scene_and_reopening(story: Story) -> None:
    """A scene comes in a group and goes; what is saved and opened again is the same."""
    stage = story.stage
    assert stage.ask("joint"), stage.said()
    stage.deliver()
    story.untouched("a scene")
    assert len(story.ours()) == 3
    story.press("discard")
    assert not story.ours()
    story.undo()
    story.untouched("undoing the discarding")
    saved = story.host.reopen(story.document)
    story.document = saved
    story.untouched("saving and opening again", ("active", "selection"))


def _other_modes(story: Story) -> None:
    """A layer of each of the other modes comes and goes."""
    asked = 0
    for mode in ("foreground", "extract", "fill", "upscale", "decompose"):
        if story.stage.ask(mode):
            asked += 1
            story.untouched(f"asking for {mode}")
            story.stage.deliver()
            story.untouched(f"a layer of {mode}")
            assert story.ours(), f"{mode}: {story.stage.said()}"
            story.press("discard")
            assert not story.ours()
    assert asked


TALES: dict[str, Callable[[Story], None]] = {
    "results": _results,
    "background": _background,
    "repainting": _repainting,
    "anew": _anew,
    "other modes": _other_modes,
    "scene and reopening": _scene_and_reopening,
}


def tales(host: Host) -> Iterator[tuple[str, Callable[..., None], tuple[object, ...]]]:
    """Every story on every stack, as `contract_runner.cases` does; none where there is no zoo."""
    for stack in getattr(host, "zoo", ()):
        for name in TALES:
            yield f"tell_{name.replace(' ', '_')}[{stack}]", tell, (host, stack, name)


def tell(host: Zoo, stack: str, name: str) -> None:
    """One story on one stack."""
    story = Story(host, stack)
    try:
        TALES[name](story)
    finally:
        story.close()
