from __future__ import annotations

import hashlib

from acetate_bridge import (
    Accepted,
    Cancelled,
    Connection,
    Done,
    Failed,
    Frame,
    Image,
    LayerReady,
    Preview,
    Progress,
    Recipe,
    Rect,
    Request,
    Size,
)
from tests.app.listening import Listener
from tests.app.server_process import TOKEN
from tests.workers.fake_painter import solid


def test_a_job_is_accepted_painted_and_done(listener: Listener) -> None:
    job = listener.submit("a cat", steps=4, width=24, height=16)
    done = listener.ending(job)
    assert isinstance(done, Done)
    # A preview may come before any step is told: of steps that wait to be sent the last one stays.
    first, *later = [type(event) for event in listener.events]
    assert first is Accepted and set(later) == {Progress, Preview, LayerReady, Done}
    steps = [event.step for event in listener.of(job, Progress) if event.stage != "loading"]
    assert steps == sorted(steps) and steps[-1] == 4
    assert listener.of(job, Preview)[0].image == solid(8, 8, 5)
    (ready,) = listener.of(job, LayerReady)
    assert ready.layer.image == solid(24, 16, 5)
    assert done.layers == 1 and done.recipe.seed == 5


def test_sequence_numbers_only_rise(listener: Listener) -> None:
    for _ in range(3):
        listener.ending(listener.submit())
    numbers = [event.sequence for event in listener.events]
    assert numbers == sorted(set(numbers))


def test_each_variant_comes_as_soon_as_it_is_painted(listener: Listener) -> None:
    request = Request(Recipe("text", "a cat", seed=7, steps=2, width=8, height=8), variants=3)
    job = listener.client.submit(request)
    listener.ending(job)
    layers = listener.of(job, LayerReady)
    assert [(ready.index, ready.variant) for ready in layers] == [(0, 0), (1, 1), (2, 2)]
    assert [ready.layer.image for ready in layers] == [solid(8, 8, 7 + i) for i in range(3)]
    assert [ready.layer.recipe.seed for ready in layers if ready.layer.recipe] == [7, 8, 9]


def test_an_uploaded_picture_comes_back_exactly_at_its_place(listener: Listener) -> None:
    picture = Image(40, 30, bytes(range(256)) * (40 * 30 * 4 // 256) + bytes(40 * 30 * 4 % 256))
    frame = Frame(Rect(-7, 5, 20, 10), Rect(-17, -5, 40, 30), Size(40, 30))
    request = Request(Recipe("echo", "back"), {"picture": picture}, frame=frame)
    job = listener.client.submit(request)
    listener.ending(job)
    (ready,) = listener.of(job, LayerReady)
    layer = ready.layer
    assert (layer.x, layer.y, layer.image.width, layer.image.height) == (-7, 5, 20, 10)
    rows = [picture.data[(y * 40 + 10) * 4 : (y * 40 + 30) * 4] for y in range(10, 20)]
    assert layer.image.data == b"".join(rows)


def test_sixteen_bits_stay_sixteen_bits(listener: Listener) -> None:
    picture = Image(16, 8, bytes(range(256)) * 4, "rgba16")
    request = Request(Recipe("echo", "back"), {"picture": picture}, pixel_format="rgba16")
    job = listener.client.submit(request)
    listener.ending(job)
    assert listener.of(job, LayerReady)[0].layer.image == picture


def test_cancelling_ends_a_running_job_and_the_next_one_is_fine(listener: Listener) -> None:
    job = listener.submit("step=0.5", steps=150)
    listener.wait(lambda event: isinstance(event, Progress) and event.step > 1)
    listener.client.cancel(job)
    assert isinstance(listener.ending(job), Cancelled)
    assert listener.of(job, Progress)[-1].step < 400
    assert isinstance(listener.ending(listener.submit()), Done)


def test_cancelling_a_waiting_job_does_not_start_it(listener: Listener) -> None:
    running = listener.submit("step=0.5", steps=150)
    listener.wait(lambda event: isinstance(event, Progress))
    waiting = listener.submit()
    listener.wait(lambda event: event.job == waiting)
    listener.client.cancel(waiting)
    assert isinstance(listener.ending(waiting), Cancelled)
    assert not listener.of(waiting, Progress)
    listener.client.cancel(running)
    listener.ending(running)


def test_what_cannot_be_painted_fails_with_a_sentence_and_a_hint(listener: Listener) -> None:
    failed = listener.ending(listener.submit("break"))
    assert isinstance(failed, Failed)
    assert (failed.code, failed.message) == ("bad_request", "That cannot be painted.")
    assert failed.hint == "Ask for something else."


def test_a_bug_in_the_painter_fails_the_job_only(listener: Listener) -> None:
    failed = listener.ending(listener.submit("bug"))
    assert isinstance(failed, Failed) and failed.code == "painting_failed"
    assert isinstance(listener.ending(listener.submit()), Done)


def test_impossible_requests_are_refused_at_the_door(listener: Listener) -> None:
    refused = [
        (listener.submit(mode="sculpt"), "unknown_mode"),
        (listener.submit(model="nosuch"), "unknown_model"),
        (listener.submit(steps=0), "bad_request"),
        (listener.submit(passes=3), "bad_request"),
        (listener.submit(strength=2.0), "bad_request"),
        (listener.submit(width=100_000, height=8), "bad_request"),
        (listener.submit("x" * 9000), "too_large"),
        (listener.submit(seed=-1), "bad_request"),
    ]
    for job, code in refused:
        failed = listener.ending(job)
        assert isinstance(failed, Failed) and failed.code == code


def test_the_same_job_id_is_the_same_job(listener: Listener) -> None:
    request = Request(Recipe("text", "a cat", steps=2))
    job = listener.client.submit(request)
    listener.ending(job)
    listener.client.submit(request, job)
    other = listener.submit()
    listener.ending(other)
    assert len(listener.of(job, LayerReady)) == 1 and len(listener.of(job, Accepted)) == 1


def test_an_image_is_uploaded_once(address: str) -> None:
    from acetate_bridge.client.pending_jobs import Pending
    from acetate_bridge.protocol.messages import Upload

    picture = solid(64, 64, 3)
    pending = Pending()
    request = Request(Recipe("echo", "x"), {"picture": picture})
    pending.add("job-number-1", request)
    first = list(pending.introduce("job-number-1"))
    pending.add("job-number-2", request)
    second = list(pending.introduce("job-number-2"))
    assert [type(message) for message in first].count(Upload) == 1
    assert not [message for message in second if isinstance(message, Upload)]
    assert first[0] == Upload(hashlib.sha256(picture.data).hexdigest(), picture)


def test_a_later_client_of_the_same_name_gets_what_was_not_acknowledged(address: str) -> None:
    with Listener(address, TOKEN, "the-same-editor", acknowledge=False) as first:
        job = first.submit()
        first.ending(job)
    with Listener(address, TOKEN, "the-same-editor", acknowledge=True) as second:
        assert isinstance(second.ending(job), Done)
        assert len(second.of(job, LayerReady)) == 1
    with Listener(address, TOKEN, "the-same-editor") as third:
        other = third.submit()
        third.ending(other)
        assert {event.job for event in third.events} == {other}


def test_the_server_announces_what_it_can_do(listener: Listener) -> None:
    listener.ending(listener.submit())
    offer = listener.client.offer
    assert offer is not None and [mode.name for mode in offer.modes] == ["text", "echo"]
    assert listener.client.state.connection is Connection.READY
