from __future__ import annotations

from acetate_bridge import Accepted, Done, Failed, Image, Layer, LayerReady, Recipe, Request
from acetate_bridge.client.pending_jobs import Pending
from acetate_bridge.protocol.messages import Acknowledge, Cancel, Missing, Submit, Upload

PICTURE = Image(1, 1, b"abcd")
REQUEST = Request(Recipe("text"), {"layer": PICTURE})


def kinds(messages: object) -> list[type]:
    return [type(message) for message in messages]  # type: ignore[attr-defined]


def test_a_job_is_said_again_until_it_is_accepted() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    assert kinds(pending.resume("store")) == [Upload, Submit]
    assert kinds(pending.resume("store")) == [Upload, Submit]
    pending.settle(Accepted("job-1", 1))
    assert kinds(pending.resume("store")) == []
    pending.add("job-2", REQUEST)
    assert kinds(pending.introduce("job-2")) == [Submit]


def test_another_store_hears_everything_again() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    list(pending.resume("store"))
    pending.settle(Accepted("job-1", 70))
    assert kinds(pending.resume("another")) == [Upload, Submit]
    assert pending.last_event == 0 and pending.settle(Accepted("job-1", 1))


def test_events_are_heard_once() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    layer = LayerReady("job-1", 5, 0, Layer(PICTURE))
    assert pending.settle(layer) and not pending.settle(layer)
    assert not pending.settle(Accepted("job-1", 4))
    assert pending.settle(Done("job-1", 6, Recipe("text")))
    assert pending.open_jobs == []


def test_a_refusal_without_a_number_is_heard() -> None:
    pending = Pending("store", 100)
    pending.add("job-1", REQUEST)
    assert pending.settle(Failed("job-1", 0, "too_large", "Too large."))
    assert pending.open_jobs == []


def test_cancels_and_thanks_are_said_again_after_a_cut() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    pending.settle(Accepted("job-1", 1))
    list(pending.resume("store"))
    pending.settle(Accepted("job-1", 2))
    pending.cancel("job-1")
    pending.acknowledge("job-0")
    assert list(pending.resume("store")) == [Cancel("job-1"), Acknowledge("job-0")]


def test_missing_images_are_sent_again_but_not_for_ever() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    _, submit = pending.introduce("job-1")
    assert isinstance(submit, Submit)
    missing = Missing("job-1", [submit.images["layer"].sha256])
    for _ in range(3):
        assert kinds(pending.supply(missing, "")) == [Upload, Submit]
    (failed,) = pending.supply(missing, "The disk is full.")
    assert isinstance(failed, Failed) and failed.message == "The disk is full."
    assert list(pending.supply(missing, "")) == []


def test_images_that_the_job_never_had_end_it() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    (failed,) = pending.supply(Missing("job-1", ["0" * 64]), "")
    assert isinstance(failed, Failed) and failed.code == "upload_failed"


def test_a_cancel_that_the_server_could_not_take_comes_after_the_images_it_lacked() -> None:
    pending = Pending()
    pending.add("job-1", REQUEST)
    list(pending.introduce("job-1"))
    pending.cancel("job-1")
    (digest,) = (each.sha256 for each in pending.resume("store") if isinstance(each, Upload))
    assert kinds(pending.supply(Missing("job-1", [digest]), "")) == [Upload, Submit, Cancel]
