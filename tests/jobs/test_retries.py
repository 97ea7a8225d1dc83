from __future__ import annotations

import pytest

from acetate.jobs.retries import ATTEMPTS, AfterLoss, after_loss, may_try_again


def test_a_job_is_tried_twice() -> None:
    assert [may_try_again(begun) for begun in (1, 2, 3)] == [True, False, False]
    assert after_loss(1, cancelled=False, closing=False) is AfterLoss.AGAIN
    assert after_loss(ATTEMPTS, cancelled=False, closing=False) is AfterLoss.FAILED


@pytest.mark.parametrize("attempts", [1, ATTEMPTS])
def test_what_nobody_wants_any_more_is_not_tried_again(attempts: int) -> None:
    assert after_loss(attempts, cancelled=True, closing=False) is AfterLoss.CANCELLED


@pytest.mark.parametrize("attempts", [1, ATTEMPTS])
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_server_that_closes_leaves_it_to_the_next_start(attempts: int, cancelled: bool) -> None:
    assert after_loss(attempts, cancelled, closing=True) is AfterLoss.NEXT_START
