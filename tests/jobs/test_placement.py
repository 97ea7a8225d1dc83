"""Which job goes where: models that are loaded are used, and nobody waits long for that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acetate.jobs.availability import Offers
from acetate.jobs.fair_queue import MOST_PASSES, FairQueue
from acetate.jobs.placement import Placement
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.messages import ModelInfo
from tests.benchmarks.studio import simulate


class Desk:
    """Jobs are written `painter:model:number`, engines are letters."""

    def __init__(self, engines: str, without: dict[str, str] | None = None) -> None:
        self.queue = FairQueue()
        self._without = without or {}
        self.placement: Placement[str] = Placement(
            self.queue,
            lambda job: job.split(":")[1],
            lambda engine, model: model not in self._without.get(engine, ""),
        )
        for engine in engines:
            self.placement.release(engine)

    def add(self, *jobs: str) -> None:
        for job in jobs:
            self.queue.add(job.split(":")[0], job)

    def next(self) -> tuple[str, str] | None:
        return self.placement.choose()


def test_a_job_goes_to_the_engine_that_has_its_model() -> None:
    desk = Desk("ab")
    desk.add("p:x:1", "q:y:1")
    assert [desk.next(), desk.next()] == [("p:x:1", "a"), ("q:y:1", "b")]
    desk.placement.release("a")
    desk.placement.release("b")
    desk.add("r:y:1")
    assert desk.next() == ("r:y:1", "b")


def test_an_engine_takes_a_job_for_its_model_before_others_once_each() -> None:
    desk = Desk("a")
    desk.add("p:x:1")
    assert desk.next() == ("p:x:1", "a")
    desk.add("q:y:1", "r:x:1", "r:x:2", "s:x:1")
    taken: list[str] = []
    for _ in range(4):
        desk.placement.release("a")
        chosen = desk.next()
        assert chosen is not None
        taken.append(chosen[0])
    # q lets r and s go first, but not r a second time.
    assert taken == ["r:x:1", "s:x:1", "q:y:1", "r:x:2"]


def test_nobody_lets_more_than_a_few_go_first() -> None:
    desk = Desk("a")
    desk.add("p:x:0")
    desk.next()
    desk.add("q:y:1", *(f"r{number}:x:1" for number in range(30)))
    before = 0
    while True:
        desk.placement.release("a")
        chosen = desk.next()
        assert chosen is not None
        if chosen[0] == "q:y:1":
            break
        before += 1
    assert before == MOST_PASSES


def test_an_engine_without_the_model_is_not_asked() -> None:
    desk = Desk("ab", {"a": "x"})
    desk.add("p:x:1", "p:x:2", "q:y:1")
    assert desk.next() == ("p:x:1", "b")
    assert desk.next() == ("q:y:1", "a")
    desk.placement.release("a")
    assert desk.next() is None
    desk.placement.release("b")
    assert desk.next() == ("p:x:2", "b")


def test_what_no_engine_has_is_for_any_to_say() -> None:
    offers = Offers()

    def announce(engine: str, *models: str) -> None:
        offers.announce(engine, Announcement([ModelInfo(model) for model in models], []))

    announce("a", "x")
    announce("b", "y")
    assert offers.suits("a", "x") and not offers.suits("a", "y")
    assert offers.suits("a", "z") and offers.suits("a", "") and offers.suits("new", "y")


@given(
    st.lists(st.tuples(st.sampled_from("pqrst"), st.sampled_from("xyz")), max_size=40),
    st.integers(1, 3),
)
def test_every_job_is_given_once_and_a_painters_in_order(
    wishes: list[tuple[str, str]], engines: int
) -> None:
    desk = Desk("abc"[:engines])
    jobs = [f"{painter}:{model}:{number}" for number, (painter, model) in enumerate(wishes)]
    desk.add(*jobs)
    taken: list[str] = []
    while (chosen := desk.next()) is not None:
        taken.append(chosen[0])
        desk.placement.release(chosen[1])
    assert sorted(taken) == sorted(jobs)
    for painter in "pqrst":
        assert [job for job in taken if job[0] == painter] == [
            job for job in jobs if job[0] == painter
        ]


def test_in_a_simulated_studio_affinity_saves_loading_and_waiting() -> None:
    in_turn = simulate(20, 200, 0.4, passes=0, seconds=43_200)
    ours = simulate(20, 200, 0.4, seconds=43_200)
    assert ours.loads / len(ours.waits) < 0.8 * in_turn.loads / len(in_turn.waits)
    assert ours.quantile(0.95) < 0.6 * in_turn.quantile(0.95)
    assert ours.fairness > in_turn.fairness - 0.1
