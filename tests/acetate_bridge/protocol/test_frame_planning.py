from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acetate_bridge import Frame, FrameLimits, Rect, Size, plan_frame

places = st.integers(-50_000, 50_000)
rects = st.builds(Rect, places, places, st.integers(1, 6000), st.integers(1, 6000))


@st.composite
def limits(draw: st.DrawFn) -> FrameLimits:
    multiple = draw(st.sampled_from([1, 8, 16, 32, 64, 128]))
    smallest = multiple * draw(st.integers(1, 6))
    largest = smallest + multiple * draw(st.integers(0, 30))
    most = draw(st.integers(smallest**2, largest**2))
    return FrameLimits(multiple, smallest, largest, most)


@settings(max_examples=200, deadline=None)
@given(rects, limits(), st.integers(0, 500))
def test_a_frame_shows_the_region_and_is_what_the_model_accepts(
    region: Rect, accepted: FrameLimits, context: int
) -> None:
    frame = plan_frame(region, accepted, context)
    assert accepted.allow(frame.size)
    assert frame.region == region and frame.canvas.contains(region.grown(context))


@settings(max_examples=200, deadline=None)
@given(rects, limits(), st.integers(0, 500))
def test_both_axes_have_one_scale_but_for_rounding_to_whole_pixels(
    region: Rect, accepted: FrameLimits, context: int
) -> None:
    frame = plan_frame(region, accepted, context)
    painted, shown = frame.size, frame.canvas
    sides = [(painted.width, shown.width), (painted.height, shown.height)]
    lowest = max(size / (canvas + 0.5) for size, canvas in sides)
    highest = min(size / (canvas - 0.5) for size, canvas in sides)
    assert lowest <= highest * (1 + 1e-9)


@settings(max_examples=150, deadline=None)
@given(rects, limits(), st.integers(0, 100))
def test_the_region_lies_in_the_middle_of_its_canvas(
    region: Rect, accepted: FrameLimits, context: int
) -> None:
    frame = plan_frame(region, accepted, context)
    left, right = region.x - frame.canvas.x, frame.canvas.right - region.right
    top, bottom = region.y - frame.canvas.y, frame.canvas.bottom - region.bottom
    assert 0 <= right - left <= 1 and 0 <= bottom - top <= 1


@settings(max_examples=150, deadline=None)
@given(rects, places, places, limits())
def test_moving_the_document_moves_the_frame(
    region: Rect, x: int, y: int, accepted: FrameLimits
) -> None:
    frame, moved = plan_frame(region, accepted), plan_frame(region.moved(x, y), accepted)
    assert moved.canvas == frame.canvas.moved(x, y) and moved.size == frame.size
    assert moved.crop == frame.crop


@given(st.integers(4, 16), st.integers(4, 16))
def test_what_fits_is_painted_pixel_for_pixel(columns: int, rows: int) -> None:
    region = Rect(-3, 7, columns * 64, rows * 64)
    frame = plan_frame(region, FrameLimits(64, 256, 1024))
    assert frame.size == region.size and not frame.resampled and frame.canvas == region


def test_a_region_close_to_a_legal_size_gets_context_instead_of_another_scale() -> None:
    frame = plan_frame(Rect(10, 10, 508, 312), FrameLimits(64, 256, 1024))
    assert frame.size == Size(512, 320) and frame.canvas == Rect(8, 6, 512, 320)
    assert frame.scale == 1


SDXL = FrameLimits(64, 512, 2048)
SMALL = FrameLimits(16, 64, 640, 640 * 640)


def share(frame: Frame) -> float:
    """How much of what is painted reaches the document."""
    return frame.region.size.pixels / frame.canvas.size.pixels


@pytest.mark.parametrize(
    ("width", "height", "limits", "least"),
    [
        (2480, 3508, SDXL, 0.97),
        (1024, 1024, SMALL, 1.0),
        (1024, 1024, FrameLimits(16, 64, 160, 160 * 150), 1.0),
        (800, 600, SDXL, 0.999),
        (1920, 1080, SDXL, 0.96),
        (1920, 1080, SMALL, 0.97),
        (500, 300, FrameLimits(64, 256, 1024), 0.999),
    ],
)
def test_little_of_what_is_painted_is_thrown_away(
    width: int, height: int, limits: FrameLimits, least: float
) -> None:
    frame = plan_frame(Rect(0, 0, width, height), limits)
    assert limits.allow(frame.size) and share(frame) >= least


@settings(max_examples=150, deadline=None)
@given(st.integers(8, 4000), limits())
def test_a_square_is_painted_as_a_square(side: int, accepted: FrameLimits) -> None:
    frame = plan_frame(Rect(3, 4, side, side), accepted)
    assert frame.size.width == frame.size.height
    assert frame.canvas.width == frame.canvas.height


@settings(max_examples=200, deadline=None)
@given(st.integers(300, 4000), st.floats(1 / 3, 3), st.sampled_from([SDXL, SMALL]))
def test_96_hundredths_reach_the_document_where_the_limits_have_such_a_size(
    width: int, aspect: float, accepted: FrameLimits
) -> None:
    height = max(1, round(width / aspect))
    sides = range(accepted.lowest, accepted.highest + 1, accepted.multiple)
    possible = any(
        w * h <= accepted.most_pixels
        and min(w * height, h * width) / max(w * height, h * width) >= 0.965
        for w in sides
        for h in sides
    )
    frame = plan_frame(Rect(0, 0, width, height), accepted)
    assert not possible or share(frame) >= 0.955


@settings(max_examples=100, deadline=None)
@given(st.integers(64, 900), st.integers(64, 900))
def test_what_is_repainted_is_never_painted_smaller_than_it_is(width: int, height: int) -> None:
    frame = plan_frame(Rect(0, 0, width, height), SDXL, never_smaller=True)
    assert frame.size.width >= width and frame.size.height >= height


def test_small_regions_are_painted_larger_and_large_ones_smaller() -> None:
    accepted = FrameLimits(64, 256, 1024)
    assert plan_frame(Rect(0, 0, 64, 64), accepted).scale == 4
    assert plan_frame(Rect(0, 0, 4096, 4096), accepted).scale == 0.25


def test_a_very_long_region_gets_a_higher_canvas() -> None:
    frame = plan_frame(Rect(0, 0, 4000, 10), FrameLimits(64, 256, 1024))
    assert frame.size == Size(1024, 256) and frame.canvas.height == 1000


def test_a_large_region_gets_a_canvas_that_is_no_larger_than_its_multiples_need() -> None:
    limits = FrameLimits(64, 768, 2048, 1024 * 1024 * 3 // 2)
    frame = plan_frame(Rect(0, 0, 4000, 3000), limits)
    assert (frame.canvas.size, frame.size) == (Size(4000, 3000), Size(1280, 960))


@settings(max_examples=200, deadline=None)
@given(rects, limits())
def test_a_canvas_is_bounded_in_area(region: Rect, accepted: FrameLimits) -> None:
    """It grows by what the multiples and the shortest side need, and never by more."""
    frame = plan_frame(region, accepted)
    lowest, multiple = accepted.lowest, accepted.multiple
    for canvas, wanted, painted in (
        (frame.canvas.width, region.width, frame.size.width),
        (frame.canvas.height, region.height, frame.size.height),
    ):
        slack = max(2 * multiple, lowest, multiple * painted / lowest)
        assert (canvas - wanted) * frame.scale <= slack + 1


def test_a_size_that_went_through_a_root_is_not_rounded_up_by_a_whole_multiple() -> None:
    limits = FrameLimits(64, 64, 4096, 512 * 512)
    for side in (512, 777, 1024, 1331, 2048, 3000):
        assert plan_frame(Rect(0, 0, side, side), limits).size == Size(512, 512)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Frame(Rect(0, 0, 2, 2), Rect(0, 0, 1, 1), Size(1, 1)),
        lambda: FrameLimits(0),
        lambda: FrameLimits(64, 65, 127),
        lambda: FrameLimits(64, 64, 128, 100),
    ],
)
def test_impossible_frames_cannot_be_made(make: object) -> None:
    with pytest.raises(ValueError):
        make()  # type: ignore[operator]
