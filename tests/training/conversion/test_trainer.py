"""What holds of every stage: it goes on where it was, in one process or two, and fails in words."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from acetate.errors import BadRequest, CannotWrite, ModelDamaged
from acetate.training.conversion.trainer import TrainingFailed
from acetate.training.whole_files import half_of
from tests.training.conversion.line_stage import Line, Points, trainer_of, weights
from tests.training.conversion.processes import PATIENCE, processes_together, script


def test_a_stage_learns_and_ends_with_its_averaged_weights(tmp_path: Path) -> None:
    stage = Line()
    trainer_of(tmp_path, 60, stage).run(Points())
    rows = (tmp_path / "line.csv").read_text().splitlines()
    losses = [float(row.split(",")[2]) for row in rows if ",loss," in row]
    assert losses[-1] < 0.1 * losses[0]
    kept = [float(value) for each in stage.parameters() for value in each.detach().flatten()]
    assert kept == pytest.approx(weights(tmp_path))


def test_a_run_that_stopped_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    trainer_of(tmp_path / "whole").run(Points())

    class Enough(Exception):
        pass

    class Stopping(Line):
        def forward(self, batch: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
            if step == 7:
                raise Enough
            return super().forward(batch, step)

    with pytest.raises(Enough):
        trainer_of(tmp_path / "parts", stage=Stopping()).run(Points())
    again = trainer_of(tmp_path / "parts")
    again.run(Points())
    for name in ("line.pt", "line.csv"):
        whole, parts = (tmp_path / folder / name for folder in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes(), name


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_killed_run_goes_on_and_two_processes_agree_with_one(tmp_path: Path) -> None:
    trainer_of(tmp_path / "one").run(Points())
    killed = script("line_stage", tmp_path / "killed", 12, 8)
    with processes_together(2) as variables:
        # A folder each shows who writes what: the second leaves its mark and nothing else.
        both = [
            script("line_stage", tmp_path / folder, 12, **each)
            for folder, each in zip(("two", "second"), variables, strict=True)
        ]
        assert killed.wait(PATIENCE) < 0
        assert [each.wait(PATIENCE) for each in both] == [0, 0]
    assert [path.name for path in (tmp_path / "second").rglob("*")] == ["process-1-of-2"]
    # Two that know nothing of each other would agree as well.
    assert (tmp_path / "two/process-0-of-2").is_file()
    trainer_of(tmp_path / "killed").run(Points())
    assert (tmp_path / "killed/line.pt").read_bytes() == (tmp_path / "one/line.pt").read_bytes()
    assert weights(tmp_path / "two") == pytest.approx(weights(tmp_path / "one"), abs=1e-5)


def test_a_batch_in_parts_teaches_the_same(tmp_path: Path) -> None:
    trainer_of(tmp_path / "one").run(Points())
    trainer_of(tmp_path / "parts", parts=2).run(Points())
    assert weights(tmp_path / "parts") == pytest.approx(weights(tmp_path / "one"), abs=1e-5)


def test_a_loss_that_is_no_number_is_left_out_and_counted(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, stage=Line(frozenset({2, 5})))
    trainer.run(Points())
    assert trainer.skipped == 2
    assert all(value == value for value in weights(tmp_path))


def test_a_loss_that_stays_no_number_ends_in_a_sentence(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, 40, Line(frozenset(range(5, 40))))
    with pytest.raises(TrainingFailed, match="no number since step 6") as error:
        trainer.run(Points())
    assert "--rate" in error.value.hint
    assert all(value == value for value in weights(tmp_path))
    # The hint says that it is whole: what came while nothing was learned is not written over it.
    assert torch.load(tmp_path / "line.pt", weights_only=True)["step"] == 3


def test_a_short_run_that_learns_nothing_does_not_end_as_if_it_had(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="no number since step 2"):
        trainer_of(tmp_path, 5, Line(frozenset(range(1, 5)))).run(Points())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as Linux has one")
def test_a_full_disk_leaves_the_checkpoint_of_before(tmp_path: Path) -> None:
    trainer_of(tmp_path / "before", 12).run(Points())
    before = (tmp_path / "before/line.pt").read_bytes()

    class Filling(Line):
        def forward(self, batch: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
            if step == 7:
                half_of(tmp_path / "now/line.pt").symlink_to("/dev/full")
            return super().forward(batch, step)

    with pytest.raises(CannotWrite, match="no space left") as error:
        trainer_of(tmp_path / "now", stage=Filling()).run(Points())
    assert "run the same command" in error.value.hint
    assert not half_of(tmp_path / "now/line.pt").is_symlink()
    trainer_of(tmp_path / "now").run(Points())
    assert (tmp_path / "now/line.pt").read_bytes() == before


def test_another_plan_is_not_gone_on_with(tmp_path: Path) -> None:
    trainer_of(tmp_path).run(Points())
    with pytest.raises(BadRequest, match=r"begun with another steps \(12, now 24\)"):
        trainer_of(tmp_path, 24).run(Points())


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "line.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ModelDamaged, match="line.pt cannot be read"):
        trainer_of(tmp_path).run(Points())


def test_a_batch_that_cannot_be_shared_says_what_can(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="take a multiple of 3"):
        trainer_of(tmp_path, parts=3)


class EightBits(torch.optim.Optimizer):
    """Stands in for the optimiser of bitsandbytes: its moments are numbers of 8 bits, too."""

    given: list[dict[str, Any]]

    def __init__(self, parameters: list[torch.nn.Parameter], **settings: Any) -> None:
        super().__init__(parameters, settings)
        self.given.append(settings)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for parameter in group["params"]:
                state, gradient = self.state[parameter], parameter.grad
                moment = 0.1 * gradient
                if state:
                    moment += 0.9 * state["scale"] * (state["moment"].float() / 127 - 1)
                state["scale"] = moment.abs().max().clamp_min(1e-12)
                state["moment"] = ((moment / state["scale"] + 1) * 127).to(torch.uint8)
                parameter.sub_(moment, alpha=group["lr"])


@pytest.fixture
def eight_bits(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A library in the place of bitsandbytes; what its optimisers were given."""
    library: Any = ModuleType("bitsandbytes")
    kind = type("AdamW8bit", (EightBits,), {"given": []})
    library.optim = SimpleNamespace(AdamW8bit=kind)
    monkeypatch.setitem(sys.modules, "bitsandbytes", library)
    return kind.given


def test_an_optimiser_of_8_bits_learns_and_goes_on_to_the_same_bytes(
    tmp_path: Path, eight_bits: list[dict[str, Any]]
) -> None:
    stage = Line()
    trainer_of(tmp_path / "whole", stage=stage, eight_bit=True).run(Points())
    assert eight_bits == [{"lr": 0.05, "betas": (0.9, 0.99), "weight_decay": 0.01}]
    # The sum that it learns has three weights of 1.
    apart = [float((line.layer.weight.detach() - 1).norm()) for line in (stage, Line())]
    assert apart[0] < 0.97 * apart[1]
    state = torch.load(tmp_path / "whole/line.pt", weights_only=True)
    assert state["optimiser"]["state"][0]["moment"].dtype is torch.uint8

    class Stopping(Line):
        def forward(self, batch: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
            if step == 7:
                raise KeyboardInterrupt
            return super().forward(batch, step)

    with pytest.raises(KeyboardInterrupt):
        trainer_of(tmp_path / "parts", stage=Stopping(), eight_bit=True).run(Points())
    trainer_of(tmp_path / "parts", eight_bit=True).run(Points())
    for name in ("line.pt", "line.csv"):
        whole, parts = (tmp_path / folder / name for folder in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes(), name


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.usefixtures("eight_bits")
def test_an_optimiser_of_8_bits_and_one_of_32_do_not_go_on_from_each_other(
    before: bool, tmp_path: Path
) -> None:
    trainer_of(tmp_path, eight_bit=before).run(Points())
    told = "begun with --eight-bit" if before else "begun without --eight-bit"
    with pytest.raises(BadRequest, match=told):
        trainer_of(tmp_path, eight_bit=not before).run(Points())


def test_a_checkpoint_of_before_there_were_8_bits_is_gone_on_from(tmp_path: Path) -> None:
    trainer_of(tmp_path).run(Points())
    state = torch.load(tmp_path / "line.pt", weights_only=True)
    del state["eight_bit"]
    torch.save(state, tmp_path / "line.pt")
    trainer_of(tmp_path).run(Points())
