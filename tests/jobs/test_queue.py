from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acetate.jobs.fair_queue import FairQueue


def drain(queue: FairQueue) -> list[str]:
    taken: list[str] = []
    while (job := queue.take()) is not None:
        taken.append(job)
    return taken


def test_clients_take_turns_and_keep_their_own_order() -> None:
    queue = FairQueue()
    for job in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.add(job[0], job)
    first = drain(queue)
    assert {job[0] for job in first[:3]} == {"a", "b", "c"}
    assert [job for job in first if job[0] == "a"] == ["a1", "a2", "a3"]


def test_a_newcomer_need_not_wait_for_a_long_queue_of_another() -> None:
    queue = FairQueue()
    for number in range(10):
        queue.add("a", f"a{number}")
    assert queue.take() == "a0"
    queue.add("b", "b0")
    assert queue.take() == "b0"
    assert queue.take() == "a1"


def test_a_job_that_is_tried_again_comes_first() -> None:
    queue = FairQueue()
    queue.add("a", "a1")
    queue.add("b", "b1")
    queue.add("a", "again", first=True)
    assert queue.take() == "again"


def test_removed_jobs_do_not_come() -> None:
    queue = FairQueue()
    queue.add("a", "a1")
    queue.add("a", "a2")
    assert queue.remove("a", "a1") and not queue.remove("a", "a1")
    assert not queue.remove("b", "a2")
    assert drain(queue) == ["a2"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 99)), max_size=40))
def test_every_job_comes_exactly_once_and_nobody_waits_for_two_turns_of_another(
    jobs: list[tuple[str, int]],
) -> None:
    queue = FairQueue()
    names = [f"{client}{number}-{index}" for index, (client, number) in enumerate(jobs)]
    for (client, _), name in zip(jobs, names, strict=True):
        queue.add(client, name)
    assert len(queue) == len(names)
    order = drain(queue)
    assert sorted(order) == sorted(names)
    for start in range(len(order)):
        waiting = {name[0] for name in order[start:]}
        turn = order[start : start + len(waiting)]
        assert {name[0] for name in turn} == waiting


def test_clients_that_came_and_went_are_forgotten() -> None:
    queue = FairQueue()
    for number in range(3000):
        queue.add(f"client-{number}", "job")
        queue.take()
    assert len(queue._turns) <= 1001  # pyright: ignore[reportPrivateUsage]
    assert len(queue._served) <= 1  # pyright: ignore[reportPrivateUsage]


ARRIVALS = st.lists(
    st.one_of(st.sampled_from(["a", "b", "c", "new"]), st.just("take")), min_size=1, max_size=80
)


@given(ARRIVALS)
def test_whatever_arrives_nobody_waits_for_more_than_one_job_of_each_other_client(
    arrivals: list[str],
) -> None:
    """Newcomers that ask once and go, as commands do, count as clients of their own."""
    queue = FairQueue()
    served_since: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    owner: dict[str, str] = {}

    def take() -> None:
        job = queue.take()
        if job is None:
            assert not any(waiting.values())
            return
        client = owner[job]
        for other, since in served_since.items():
            if other != client and waiting.get(other):
                since.append(client)
                assert len(since) == len(set(since)), f"{other} waited twice for {client}"
        waiting[client] -= 1
        served_since[client] = []

    for number, what in enumerate(arrivals):
        if what == "take":
            take()
            continue
        client = f"new-{number}" if what == "new" else what
        job = f"{client}-{number}"
        owner[job] = client
        if not waiting.get(client):
            served_since[client] = []
        waiting[client] = waiting.get(client, 0) + 1
        queue.add(client, job)
    while any(waiting.values()):
        take()


def test_newcomers_are_served_in_the_order_in_which_they_came() -> None:
    queue = FairQueue()
    for name in "abcd":
        queue.add(name, name)
    assert drain(queue) == list("abcd")


def test_an_editor_is_served_while_commands_come_and_go() -> None:
    queue = FairQueue()
    for number in range(4):
        queue.add(f"command-{number}", f"c{number}")
    queue.add("editor", "e")
    taken: list[str | None] = []
    for number in range(4, 20):
        taken.append(queue.take())
        queue.add(f"command-{number}", f"c{number}")
    assert taken.index("e") == 4


def test_a_job_is_moved_before_another_of_its_client_or_to_the_end() -> None:
    queue = FairQueue()
    for job in ("a1", "a2", "a3", "b1"):
        queue.add(job[0], job)
    assert queue.move("a", "a3", "a1") and queue.move("a", "a1")
    assert [job for _, job in queue.order()] == ["a3", "b1", "a2", "a1"]
    assert not queue.move("a", "a3", "b1"), "not before a job of another client"
    assert not queue.move("b", "a3") and not queue.move("a", "gone")
    assert drain(queue) == ["a3", "b1", "a2", "a1"]


@given(st.lists(st.sampled_from(["a1", "a2", "a3", "b1", "b2", "c1", "take"]), max_size=20))
def test_the_order_that_is_told_is_the_order_of_the_turns(deeds: list[str]) -> None:
    queue, waiting = FairQueue(), set[str]()
    for deed in deeds:
        if deed == "take":
            waiting.discard(queue.take() or "")
        elif deed not in waiting:
            waiting.add(deed)
            queue.add(deed[0], deed)
    told = [job for _, job in queue.order()]
    assert sorted(told) == sorted(waiting)
    assert drain(queue) == told


def test_every_change_of_the_order_is_told() -> None:
    changes: list[int] = []
    queue = FairQueue(lambda: changes.append(len(queue)))
    queue.add("a", "a1")
    queue.add("a", "a2")
    queue.move("a", "a2", "a1")
    queue.remove("a", "a1")
    queue.take()
    assert changes == [1, 2, 2, 1, 0]


ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abcd")),
        st.tuples(st.just("add"), st.just("new")),
        st.tuples(st.sampled_from(["cancel", "move", "promote"]), st.sampled_from("abcd")),
        st.tuples(st.sampled_from(["take", "again"]), st.just("")),
    ),
    max_size=120,
)


@given(ORDERS)
def test_no_order_of_cancelling_moving_and_trying_again_gets_a_client_two_turns(
    orders: list[tuple[str, str]],
) -> None:
    """Whose job is tried again has its turn back, for whichever job of its own."""
    queue = FairQueue()
    waiting: dict[str, list[str]] = {}
    waited_for: dict[str, list[str]] = {}
    last: tuple[str, str] | None = None
    tried_again: set[str] = set()
    owed: set[str] = set()

    def take() -> None:
        nonlocal last
        job = queue.take()
        if job is None:
            assert not any(waiting.values())
            return
        client = next(name for name, jobs in waiting.items() if job in jobs)
        waiting[client].remove(job)
        for other, since in waited_for.items():
            if other != client and waiting.get(other) and client not in owed:
                assert client not in since, f"{other} waited twice for {client}"
                since.append(client)
        waited_for[client] = []
        owed.discard(client)
        last = (client, job)

    for number, (what, client) in enumerate(orders):
        own = waiting.setdefault(client, [])
        if what == "take":
            take()
        elif what == "add":
            client = f"new-{number}" if client == "new" else client
            own = waiting.setdefault(client, [])
            if not own:
                waited_for[client] = []
            own.append(f"{client}-{number}")
            queue.add(client, own[-1])
        elif what == "again" and last is not None and last[1] not in tried_again:
            client, job = last
            tried_again.add(job)
            owed.add(client)
            if not waiting.setdefault(client, []):
                waited_for[client] = []
            waiting[client].append(job)
            queue.add(client, job, first=True)
            last = None
        elif own and what == "cancel":
            assert queue.remove(client, own.pop(number % len(own)))
        elif own and what == "promote":
            assert queue.promote(client, own[number % len(own)])
        elif own and what == "move":
            assert queue.move(client, own[number % len(own)], own[0])
    while any(waiting.values()):
        take()
    assert len(queue) == 0 and queue.order() == []
