from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acetate_bridge import Rect, Size

places = st.integers(-50_000, 50_000)
rects = st.builds(Rect, places, places, st.integers(1, 6000), st.integers(1, 6000))


def test_rectangles_that_only_touch_have_nothing_in_common() -> None:
    middle = Rect(10, 10, 5, 5)
    for x, y in ((15, 10), (5, 10), (10, 15), (10, 5), (15, 15), (5, 5)):
        assert middle.common(Rect(x, y, 5, 5)) is None
    assert middle.common(Rect(14, 14, 5, 5)) == Rect(14, 14, 1, 1)


@given(rects, rects)
def test_common_is_inside_both(one: Rect, other: Rect) -> None:
    both = one.common(other)
    if both is None:
        assert (
            one.right <= other.x
            or other.right <= one.x
            or one.bottom <= other.y
            or (other.bottom <= one.y)
        )
    else:
        assert one.contains(both) and other.contains(both)


@pytest.mark.parametrize("make", [lambda: Rect(0, 0, 0, 1), lambda: Size(1, 0)])
def test_nothing_is_without_pixels(make: object) -> None:
    with pytest.raises(ValueError):
        make()  # type: ignore[operator]
