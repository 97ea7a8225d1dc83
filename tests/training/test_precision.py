"""Training takes the arithmetic that is faster here, wherever it is asked."""

from __future__ import annotations

import torch

from acetate.training.precision import faster_precision, training_autocast


def test_the_choice_can_be_made_where_no_gradient_is_kept() -> None:
    faster_precision.cache_clear()
    with torch.no_grad():
        assert faster_precision() in (torch.float32, torch.bfloat16)


def test_the_context_computes_in_the_chosen_arithmetic() -> None:
    layer = torch.nn.Linear(4, 4)
    with training_autocast():
        assert layer(torch.ones(1, 4)).dtype == faster_precision()
