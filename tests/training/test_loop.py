from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from acetate.errors import BadRequest, ModelDamaged
from acetate.training.loop import Losses, Schedule, Trainee, train
from acetate.training.workers import WorkerFailed, run_together

pytestmark = pytest.mark.matrix


def make_trainee(steps: int) -> Trainee:
    torch.manual_seed(0)
    return Trainee({"line": nn.Linear(2, 1)}, Schedule(steps, 0.05, warm_up=5, report_steps=10))


def loss_of(trainee: Trainee, number: int) -> tuple[Tensor, Losses]:
    points = torch.randn(16, 2, generator=torch.Generator().manual_seed(number))
    truth = points @ torch.tensor([[2.0], [-1.0]]) + 0.5
    loss = (trainee.modules["line"](points) - truth).square().mean()
    return loss, {"square": loss}


def fit(file: Path, steps: int) -> None:
    trainee = make_trainee(steps)
    train(trainee, file, partial(loss_of, trainee), lambda _: None, lambda _: None)


def weights(file: Path) -> Tensor:
    return torch.load(file, weights_only=True)["average"]["line"]["weight"]


def test_the_learning_rate_rises_then_falls() -> None:
    schedule = Schedule(1000, 1.0, warm_up=100)
    rates = [schedule.rate(step) for step in (0, 50, 100, 500, 1000)]
    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] > 0


def test_training_reduces_the_loss_and_keeps_averaged_weights(tmp_path: Path) -> None:
    fit(tmp_path / "line.pt", 400)
    assert torch.allclose(weights(tmp_path / "line.pt"), torch.tensor([[2.0, -1.0]]), atol=0.1)


def test_a_run_that_was_cut_resumes_to_the_same_weights(tmp_path: Path) -> None:
    fit(tmp_path / "whole.pt", 60)
    trainee = make_trainee(60)
    for number in range(30):
        trainee.update(loss_of(trainee, number)[0])
    trainee.save(tmp_path / "cut.pt")
    fit(tmp_path / "cut.pt", 60)
    assert torch.equal(weights(tmp_path / "whole.pt"), weights(tmp_path / "cut.pt"))


def test_a_damaged_checkpoint_is_named_wherever_it_is_read(tmp_path: Path) -> None:
    # Not above: the processes below, which need none of diffusers, would all import it.
    from acetate.training.transparency import load_frozen_autoencoder

    file = tmp_path / "line.pt"
    file.write_bytes(b"no checkpoint")
    for read in (partial(fit, file, 1), partial(load_frozen_autoencoder, file)):
        with pytest.raises(ModelDamaged, match=r"line\.pt cannot be read"):
            read()


def test_progress_names_the_step_and_the_time_left(tmp_path: Path) -> None:
    lines: list[str] = []
    trainee = make_trainee(20)
    train(trainee, tmp_path / "a.pt", partial(loss_of, trainee), lines.append, lambda _: None)
    assert len(lines) == 2 and "step 20 of 20" in lines[-1] and "min left" in lines[-1]


def test_two_processes_train_one_model(tmp_path: Path) -> None:
    run_together(partial(fit, tmp_path / "pair.pt", 400), workers=2)
    assert torch.allclose(weights(tmp_path / "pair.pt"), torch.tensor([[2.0, -1.0]]), atol=0.1)


def find_nothing() -> None:
    raise FileNotFoundError("no pictures here; run `acetate train data` first")


def go_on_with_another_plan() -> None:
    raise BadRequest("This was begun with another plan.", "Take that one.")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("stage", "kind", "said"),
    [
        (find_nothing, FileNotFoundError, "run `acetate train data` first"),
        (go_on_with_another_plan, WorkerFailed, "begun with another plan"),
    ],
)
def test_what_a_process_says_that_cannot_go_on_is_said_by_all(
    stage: Callable[[], None], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        run_together(stage, workers=2)
