from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from types import SimpleNamespace

import pytest

from acetate.errors import Interrupted
from acetate.workers import ipc as wire
from acetate.workers import job_runner
from acetate.workers.engine import Announcement
from acetate.workers.generator_api import PainterStep
from acetate.workers.job_runner import last_message, run_job
from acetate_bridge import Frame, Image, Layer, Recipe, Rect, Request, Size
from tests.workers.fake_painter import solid


class Quick:
    """Paints at once; keeps the requests that it got."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def announce(self) -> Announcement:
        return Announcement([], [])

    def paint(self, request: Request, on_step: Callable[[PainterStep], None]) -> Sequence[Layer]:
        self.requests.append(request)
        for step in range(1, 5):
            on_step(PainterStep(step, 4, lambda: solid(2, 2, 1)))
        return [Layer(solid(8, 8, request.recipe.seed))]


def messages(request: Request, preview_seconds: float = 0.0) -> tuple[Quick, list[object]]:
    painter, sent = Quick(), list[object]()

    def send(message: wire.FromWorker, payload: bytes = b"") -> None:
        sent.append((message, payload) if payload else message)

    run_job("job", request, painter, send, lambda: False, preview_seconds)
    return painter, sent


def test_progress_rises_over_all_variants() -> None:
    _, sent = messages(Request(Recipe("text", seed=5), variants=3))
    steps = [
        m.event.step for m in sent if isinstance(m, wire.StepDone) and m.event.stage != "loading"
    ]
    assert steps == list(range(1, 13))
    assert {m.event.steps for m in sent if isinstance(m, wire.StepDone) and m.event.steps} == {12}


def test_each_variant_has_its_own_seed_and_is_sent_before_the_next() -> None:
    painter, sent = messages(Request(Recipe("text", seed=5), variants=2))
    assert [request.recipe.seed for request in painter.requests] == [5, 6]
    first = next(i for i, m in enumerate(sent) if isinstance(m, tuple))
    last_step = max(i for i, m in enumerate(sent) if isinstance(m, wire.StepDone))
    assert first < last_step


def test_previews_are_rare_but_the_first_comes_at_once() -> None:
    _, all_of_them = messages(Request(Recipe("text")), preview_seconds=0.0)
    _, rare = messages(Request(Recipe("text")), preview_seconds=3600.0)
    count = [sum(isinstance(m, wire.PreviewMade) for m in sent) for sent in (all_of_them, rare)]
    assert count == [3, 1]


def test_previews_that_take_long_take_a_small_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(job_runner, "time", SimpleNamespace(monotonic=lambda: now[0]))
    previews = list[float]()

    class Slow(Quick):
        def paint(
            self, request: Request, on_step: Callable[[PainterStep], None]
        ) -> Sequence[Layer]:
            for step in range(1, 101):
                now[0] += 1.0
                on_step(PainterStep(step, 100, preview))
            return [Layer(solid(8, 8, 1))]

    def preview() -> Image:
        now[0] += 0.5
        previews.append(0.5)
        return solid(2, 2, 1)

    run_job("job", Request(Recipe("text")), Slow(), lambda *_: None, lambda: False, 0.25)
    assert len(previews) > 5 and sum(previews) / now[0] < 1.2 * job_runner.PREVIEW_SHARE


def test_the_painter_sees_the_frame_and_the_document_gets_its_region() -> None:
    frame = Frame(Rect(-5, 3, 4, 2), Rect(-6, 2, 16, 16), Size(8, 8))
    picture = Image(16, 16, bytes(16 * 16 * 4))
    painter, sent = messages(Request(Recipe("text"), {"layer": picture}, frame=frame))
    shown = painter.requests[0].images["layer"]
    assert (shown.width, shown.height) == (8, 8) and painter.requests[0].frame is None
    (painted,) = [m[0].layer(m[1]) for m in sent if isinstance(m, tuple)]
    assert (painted.x, painted.y, painted.image.width, painted.image.height) == (-5, 3, 4, 2)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_job_stops_at_the_next_step(after: int) -> None:
    sent: list[object] = []

    def send(message: wire.FromWorker, payload: bytes = b"") -> None:
        sent.append(message)

    def stopped() -> bool:
        return sum(isinstance(m, wire.StepDone) for m in sent) > after

    with pytest.raises(Interrupted):
        run_job("job", Request(Recipe("text")), Quick(), send, stopped, 3600.0)
    assert sum(isinstance(m, wire.StepDone) for m in sent) == after + 1


def test_alpha_that_is_kept_is_not_resampled_with_the_frame() -> None:
    """The painter works at 8 pixels; the document's 4 keep what they had."""
    frame = Frame(Rect(0, 0, 4, 4), Rect(0, 0, 4, 4), Size(8, 8))
    hard = Image(4, 4, b"".join(bytes([9, 9, 9, 17 * index]) for index in range(16)))
    recipe = Recipe("refine", "a cat", keep_transparency=True)
    _, sent = messages(Request(recipe, {"layer": hard}, frame=frame))
    (data,) = [item[1] for item in sent if isinstance(item, tuple)]
    assert data[3::4] == hard.data[3::4]


def test_a_job_for_which_python_has_no_memory_says_so() -> None:
    class Starved(Quick):
        def paint(
            self, request: Request, on_step: Callable[[PainterStep], None]
        ) -> Sequence[Layer]:
            raise MemoryError

    order = wire.Paint("job", Request(Recipe("text")))
    ended = last_message(order, Starved(), lambda *_: None, lambda: False, 1.0)
    assert isinstance(ended, wire.Broken)
    assert ended.code == "out_of_memory" and "Memory ran out" in ended.message


class Together(Quick):
    """Paints so many variants together, four steps each."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self._together = together
        self.closed = 0

    def at_once(self, request: Request) -> int:
        return min(request.variants, self._together)

    def paint_each(
        self, request: Request, on_step: Callable[[PainterStep], None]
    ) -> Generator[Sequence[Layer]]:
        self.requests.append(request)
        many = request.variants
        try:
            for step in range(1, 5):
                on_step(PainterStep(many * step, many * 4, lambda: solid(2, 2, 1)))
            for index in range(many):
                yield [Layer(solid(8, 8, request.recipe.seed + index))]
        finally:
            self.closed += 1


def in_batches(
    together: int, stopped: Callable[[list[object]], bool] = lambda sent: False
) -> tuple[Together, list[object]]:
    painter, sent = Together(together), list[object]()

    def send(message: wire.FromWorker, payload: bytes = b"") -> None:
        sent.append((message, payload) if payload else message)

    request = Request(Recipe("text", seed=5), variants=5)
    with suppress(Interrupted):
        run_job("job", request, painter, send, lambda: stopped(sent), 0.0)
    return painter, sent


def test_variants_that_are_painted_together_are_sent_one_by_one_and_counted_over_all() -> None:
    painter, sent = in_batches(3)
    asked = [(request.recipe.seed, request.variants) for request in painter.requests]
    assert asked == [(5, 3), (8, 2)]
    told = [m.event for m in sent if isinstance(m, wire.StepDone) and m.event.steps]
    assert [event.step for event in told] == [3, 6, 9, 12, 14, 16, 18, 20]
    assert {event.steps for event in told} == {20}
    stages = [event.stage for event in told]
    assert stages == (["painting"] * 3 + ["decoding"]) * 2
    layers = [m[0] for m in sent if isinstance(m, tuple)]
    assert [layer.variant for layer in layers] == [0, 1, 2, 3, 4]
    previews = [m.event.variant for m in sent if isinstance(m, wire.PreviewMade)]
    assert previews == [0, 0, 0, 3, 3, 3]


def test_the_last_variant_alone_is_painted_as_ever() -> None:
    painter, sent = in_batches(4)
    assert [request.variants for request in painter.requests] == [4, 1]
    assert painter.closed == 1
    told = [m.event.step for m in sent if isinstance(m, wire.StepDone) and m.event.steps]
    assert told == [4, 8, 12, 16, 17, 18, 19, 20]


def test_a_job_that_is_stopped_between_two_layers_closes_the_batch() -> None:
    painter, sent = in_batches(5, lambda sent: sum(isinstance(m, tuple) for m in sent) == 2)
    assert sum(isinstance(m, tuple) for m in sent) == 2 and painter.closed == 1
