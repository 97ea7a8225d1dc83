from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import get_args

import pytest

from acetate.errors import BadRequest
from acetate.jobs.admission import DEFAULT_LIMITS, check_submit, is_digest
from acetate.jobs.records import Refused
from acetate.models.families import FAMILIES
from acetate.modes.validation import check_recipe
from acetate.workers.engine import Announcement
from acetate.workers.known_offer import embedded_model, official_models
from acetate_bridge import Control, Frame, FrameLimits, Recipe, Rect, Size
from acetate_bridge.protocol.messages import ImageReference, Limits, ModeInfo, ModelInfo, Submit
from acetate_bridge.protocol.types import ControlKind

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
        (recipe(passes=3), "bad_request"),
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


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 151},
        {"steps": 0},
        {"guidance": 31.0},
        {"prompt": "x" * 8001},
        {"layer_prompts": {"foreground": "x" * 8001}},
        {"seed": 2**53},
        {"seed": 2**60},
        {"layers": 1},
        {"layers": 9},
        {"strength": 0.0},
        {"prompt": " \n"},
        {"passes": 5},
        {"styles": {"ink": 4.5}},
        {"styles": {str(number): 1.0 for number in range(17)}},
        {"control": Control("canny", 2.5)},
    ],
)
def test_what_the_worker_refuses_is_refused_at_the_door_with_the_same_words(
    values: dict[str, object],
) -> None:
    with pytest.raises(Refused) as door:
        check_submit(recipe(**values), DEFAULT_LIMITS, OFFER)
    with pytest.raises(BadRequest) as worker:
        check_recipe(recipe(**values).recipe)
    assert door.value.message == worker.value.message


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 150, "guidance": 30.0, "strength": 0.001, "layers": 8, "passes": 0},
        {"steps": 1, "guidance": 0.0, "strength": 1.0, "layers": 2, "passes": 8},
        {"prompt": "x" * 2000, "negative_prompt": "x" * 2000, "seed": 2**53 - 1},
        {"prompt": "", "layer_prompts": {"foreground": "a cat"}},
    ],
)
def test_what_the_worker_takes_is_taken_at_the_door(values: dict[str, object]) -> None:
    check_submit(recipe(**values), DEFAULT_LIMITS, OFFER)
    check_recipe(recipe(**values).recipe)


def test_the_limits_that_are_announced_are_those_that_are_kept() -> None:
    check_submit(recipe(steps=DEFAULT_LIMITS.steps), DEFAULT_LIMITS, OFFER)
    check_submit(replace(GOOD, variants=DEFAULT_LIMITS.variants), DEFAULT_LIMITS, OFFER)
    check_submit(recipe(prompt="x" * DEFAULT_LIMITS.prompt_characters), DEFAULT_LIMITS, OFFER)
    few = replace(DEFAULT_LIMITS, steps=30, variants=2)
    for submit in (recipe(steps=31), replace(GOOD, variants=3)):
        check_submit(submit, DEFAULT_LIMITS, OFFER)
        with pytest.raises(Refused, match="not 3"):
            check_submit(submit, few, OFFER)


SMALL = Limits(
    message_bytes=2**20,
    image_pixels=64 * 64,
    queued_jobs=3,
    variants=2,
    steps=30,
    side=96,
    prompt_characters=20,
)
KEPT: dict[str, tuple[Submit, Submit] | str] = {
    "variants": (replace(GOOD, variants=2), replace(GOOD, variants=3)),
    "steps": (recipe(steps=30), recipe(steps=31)),
    "side": (recipe(width=96, height=8), recipe(width=8, height=97)),
    "prompt_characters": (recipe(prompt="x" * 20), recipe(negative_prompt="x" * 21)),
    "image_pixels": (recipe(width=64, height=64), recipe(width=96, height=64)),
    "queued_jobs": "test_manager: it counts what waits",
    "message_bytes": "test_fuzz: it is the connection's",
}


def test_every_limit_that_a_server_announces_is_kept() -> None:
    """Of any server, also one whose limits are smaller than usual."""
    assert set(KEPT) == {field.name for field in fields(Limits)}
    for both in KEPT.values():
        if isinstance(both, str):
            continue
        within, beyond = both
        check_submit(within, SMALL, OFFER)
        check_submit(beyond, DEFAULT_LIMITS, OFFER)
        with pytest.raises(Refused):
            check_submit(beyond, SMALL, OFFER)


def test_every_model_keeps_what_it_announces() -> None:
    """Sizes, modes, styles and kinds of control images, of each model that can be offered."""
    for model in (embedded_model(), *official_models()):
        model = replace(model, state="ready", styles=["ink.safetensors"])
        family = FAMILIES[model.family]
        offer = Announcement([model], [ModeInfo(name) for name in (*model.modes, "another")])
        own = partial(recipe, model=model.id, mode=model.modes[0])

        def refused(offer: Announcement = offer, **values: object) -> None:
            with pytest.raises(Refused):
                check_submit(recipe(**values), DEFAULT_LIMITS, offer)

        for mode in model.modes:
            check_submit(own(mode=mode), DEFAULT_LIMITS, offer)
        refused(model=model.id, mode="another")
        check_submit(own(styles={"ink": 1.0}), DEFAULT_LIMITS, offer)
        refused(model=model.id, mode=model.modes[0], styles={"water": 1.0})
        for kind in get_args(ControlKind):
            values = {"model": model.id, "mode": model.modes[0], "control": Control(kind)}
            submit = replace(recipe(**values), images={"control": IMAGE})
            if kind in model.controls:
                check_submit(submit, DEFAULT_LIMITS, offer)
            else:
                with pytest.raises(Refused, match=kind):
                    check_submit(submit, DEFAULT_LIMITS, offer)
        frames = family.frames(model.native or 512)
        sized = Announcement([replace(model, frame=frames)], offer.modes)
        check_submit(own(width=frames.lowest, height=frames.lowest), DEFAULT_LIMITS, sized)
        for side in (frames.lowest - frames.multiple, frames.highest + frames.multiple):
            refused(sized, model=model.id, mode=model.modes[0], width=side, height=frames.lowest)
        refused(sized, model=model.id, mode=model.modes[0], width=frames.lowest + 1, height=512)


def test_a_model_is_asked_for_the_sizes_and_modes_that_it_announces() -> None:
    frames = FrameLimits(multiple=64, smallest=128, largest=256, most_pixels=256 * 192)
    modes = [ModeInfo("text"), ModeInfo("refine"), ModeInfo("joint")]
    offer = Announcement([ModelInfo("m", modes=["text", "refine"], frame=frames)], modes)
    check_submit(recipe(model="m"), DEFAULT_LIMITS, offer)
    check_submit(recipe(model="m", width=256, height=192), DEFAULT_LIMITS, offer)
    # A layer that is repainted has its shapes already and may fill the square.
    check_submit(recipe(model="m", mode="refine", width=256, height=256), DEFAULT_LIMITS, offer)
    for values in ({"width": 256, "height": 256}, {"width": 100, "height": 128}, {"mode": "joint"}):
        with pytest.raises(Refused, match="cannot"):
            check_submit(recipe(model="m", **values), DEFAULT_LIMITS, offer)
    wide = Frame(Rect(0, 0, 9, 9), Rect(0, 0, 9, 9), Size(512, 64))
    with pytest.raises(Refused, match="cannot paint at 512 × 64"):
        check_submit(replace(recipe(model="m"), frame=wide), DEFAULT_LIMITS, offer)


def test_digests_are_lower_case_hexadecimal() -> None:
    assert is_digest("0af" + "1" * 61)
    assert not is_digest("0" * 63) and not is_digest("g" * 64) and not is_digest("0" * 64 + "\n")
