"""A tiny base of each family learns the same through a kill and in two processes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.support.official_shelf import WRITERS
from tests.training.conversion.family_runs import RATE, STAGES, write_bases
from tests.training.conversion.processes import PATIENCE, processes_together, script

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both stages of each family: trained in one go into `whole`, killed on the way to `killed`."""
    root = tmp_path_factory.mktemp("families")
    write_bases(root)
    assert script("family_runs", root, "whole", "killed", 3).wait(PATIENCE) == 0
    return root


def test_a_killed_run_goes_on_to_the_same_bytes(root: Path) -> None:
    for family in WRITERS:
        whole, killed = root / family / "whole", root / family / "killed"
        files = [path for path in whole.iterdir() if path.is_file()]
        assert {f"{stage}.{kind}" for stage in STAGES for kind in ("pt", "csv")} <= {
            path.name for path in files
        }
        for path in files:
            assert path.read_bytes() == (killed / path.name).read_bytes(), (family, path.name)


def test_two_processes_learn_what_one_does(root: Path) -> None:
    with processes_together(2) as variables:
        both = [script("family_runs", root, "two", **each) for each in variables]
        assert [each.wait(PATIENCE) for each in both] == [0, 0]
    for family in WRITERS:
        for stage in STAGES:
            one, two = (root / family / name / f"{stage}.csv" for name in ("whole", "two"))
            assert losses(two) == pytest.approx(losses(one), rel=1e-2), (family, stage)
            apart = weights(two.with_suffix(".pt")) - weights(one.with_suffix(".pt"))
            # A step moves a weight by about the rate, and where two go apart, they do by as much.
            assert float(apart.abs().mean()) < 0.1 * RATE, (family, stage)


def losses(file: Path) -> list[float]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [float(row["value"]) for row in csv.DictReader(rows) if row["name"] == "loss"]


def weights(file: Path) -> Tensor:
    """All in one row, as they were at the last step."""
    state = torch.load(file, weights_only=True)["weights"]
    return torch.cat([each.flatten() for each in state.values()])
