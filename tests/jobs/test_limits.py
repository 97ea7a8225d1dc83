from __future__ import annotations

from dataclasses import replace

import pytest

from acetate.jobs.admission import DEFAULT_LIMITS, check_submit, is_digest
from acetate.jobs.records import Refused
from acetate.workers.engine import Announcement
from acetate_bridge import Frame, Recipe, Rect, Size
from acetate_bridge.protocol.messages import ImageReference, ModeInfo, ModelInfo, Submit

GOOD = Submit("job-0001", Recipe("text", "a cat"), frame=None)
OFFER = Announcement([ModelInfo("m")], [ModeInfo("text")])
IMAGE = ImageReference("0" * 64, 4, 4)


def recipe(**values: object) -> Submit:
    return replace(GOOD, recipe=replace(GOOD.recipe, **values))  # type: ignore[arg-type]


def test_a_good_request_passes() -> None:
    check_submit(GOOD, DEFAULT_LIMITS, OFFER)
    check_submit(recipe(mode="whatever"), DEFAULT_LIMITS, None)


@pytest.mark.parametrize(
    ("submit", "code"),
    [
        (replace(GOOD, job="short"), "bad_job_id"),
        (replace(GOOD, job="x" * 65), "bad_job_id"),
        (replace(GOOD, job="../../../etc"), "bad_job_id"),
        (replace(GOOD, job="job-0001\n"), "bad_job_id"),
        (recipe(steps=10**6), "bad_request"),
        (recipe(guidance=float("nan")), "bad_request"),
        (recipe(guidance=float("inf")), "bad_request"),
        (recipe(strength=-0.1), "bad_request"),
        (recipe(stop_at=1.1), "bad_request"),
        (recipe(passes=0), "bad_request"),
        (recipe(seed=2**63), "bad_request"),
        (recipe(width=8193), "bad_request"),
        (recipe(width=-1), "bad_request"),
        (recipe(layer_prompts={str(i): "x" for i in range(20)}), "too_large"),
        (recipe(negative_prompt="x" * 8001), "too_large"),
        (recipe(mode="nosuch"), "unknown_mode"),
        (recipe(model="nosuch"), "unknown_model"),
        (replace(GOOD, variants=0), "bad_request"),
        (replace(GOOD, variants=17), "bad_request"),
        (replace(GOOD, images={"a": replace(IMAGE, sha256="../x")}), "bad_image"),
        (replace(GOOD, images={"a": replace(IMAGE, sha256="A" * 64)}), "bad_image"),
        (replace(GOOD, images={"a": replace(IMAGE, width=0)}), "bad_image"),
        (replace(GOOD, images={"a": replace(IMAGE, width=10**9)}), "image_too_large"),
        (replace(GOOD, images={str(i): IMAGE for i in range(17)}), "too_large"),
        (replace(GOOD, frame=Frame(Rect(2**30, 0, 8, 8), Rect(2**30, 0, 8, 8), Size(8, 8))),
         "bad_request"),
        (replace(GOOD, frame=Frame(Rect(0, 0, 9, 9), Rect(0, 0, 9, 9), Size(8, 9000))),
         "bad_request"),
        (replace(GOOD, frame=Frame(Rect(0, 0, 9, 9), Rect(0, 0, 20_000, 20_000), Size(8, 8))),
         "image_too_large"),
        (replace(recipe(width=64, height=64),
                 frame=Frame(Rect(0, 0, 8, 8), Rect(0, 0, 8, 8), Size(8, 8))), "bad_request"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_sentence(submit: Submit, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_submit(submit, DEFAULT_LIMITS, OFFER)
    assert caught.value.code == code and caught.value.message.endswith(".")


def test_digests_are_lower_case_hexadecimal() -> None:
    assert is_digest("0af" + "1" * 61)
    assert not is_digest("0" * 63) and not is_digest("g" * 64) and not is_digest("0" * 64 + "\n")
