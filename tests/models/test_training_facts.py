from __future__ import annotations

from pathlib import Path

import pytest

from acetate.models.recognition_error import NotRecognised
from acetate.models.training_facts import check_scheduler, facts_of_checkpoint

MARK = {"v_pred": (0,), "ztsnr": (0,)}


def yaml(path: Path, words: str) -> Path:
    path.with_suffix(".yaml").write_text(words)
    return path


def test_marks_and_header_and_configuration_say_the_same(tmp_path: Path) -> None:
    velocity = {"prediction_type": "v_prediction"}
    path = tmp_path / "a.safetensors"
    assert facts_of_checkpoint(path, MARK, {})[0] == {**velocity, "rescale_betas_zero_snr": True}
    assert facts_of_checkpoint(path, {}, {"modelspec.prediction_type": "v"})[0] == velocity
    assert facts_of_checkpoint(path, {}, {"ss_v_parameterization": "True"})[0] == velocity
    beside = yaml(path, 'model:\n  params:\n    parameterization: "v"\n')
    assert facts_of_checkpoint(beside, {}, {})[0] == velocity
    assert facts_of_checkpoint(tmp_path / "b.safetensors", {}, {}) == ({}, [])


def test_a_name_alone_is_taken_at_its_word_and_that_is_said(tmp_path: Path) -> None:
    facts, notes = facts_of_checkpoint(tmp_path / "noob-vpred.safetensors", {}, {})
    assert facts == {"prediction_type": "v_prediction"} and "--prediction epsilon" in notes[0]


@pytest.mark.parametrize(
    ("name", "shapes", "header", "beside"),
    [
        ("a", {"edm_vpred.sigma_max": ()}, {}, ""),
        ("a", {"edm_mean": (4,)}, {}, ""),
        ("a", {}, {"modelspec.prediction_type": "flow"}, ""),
        ("cosxl", {}, {}, ""),
        ("a", {}, {}, "model: {target: sgm.modules.x.VScalingWithEDMcNoise}"),
        ("a", {}, {}, "model: ["),
    ],
)
def test_what_cannot_be_sampled_is_refused(
    name: str,
    shapes: dict[str, tuple[int, ...]],
    header: dict[str, str],
    beside: str,
    tmp_path: Path,
) -> None:
    path = tmp_path / f"{name}.safetensors"
    if beside:
        yaml(path, beside)
    with pytest.raises(NotRecognised):
        facts_of_checkpoint(path, shapes, header)


@pytest.mark.parametrize(
    "config",
    [
        {"_class_name": "EDMDPMSolverMultistepScheduler"},
        {"_class_name": "FlowMatchEulerDiscreteScheduler"},
        {"_class_name": "EulerDiscreteScheduler", "prediction_type": "sample"},
        {"_class_name": "DPMSolverMultistepScheduler", "use_flow_sigmas": True},
    ],
)
def test_a_folder_over_other_noise_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(NotRecognised, match="cannot sample"):
        check_scheduler(config, "folder")
    check_scheduler({"_class_name": "PNDMScheduler"}, "folder")
