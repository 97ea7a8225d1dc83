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


@pytest.mark.parametrize(
    ("header", "beside", "ending"),
    [
        ({"modelspec.prediction_type": "v-pred"}, "", ""),
        ({"ModelSpec.Prediction_Type": " V "}, "", ""),
        ({}, "model:\n  params:\n    Parameterization: V\n", ".yaml"),
        ({}, "prediction_type: vpred\n", ".Yml"),
        ({}, "prediction_type: v-prediction\n", ".safetensors.yaml"),
    ],
)
def test_velocity_is_spelled_in_many_ways(
    header: dict[str, str], beside: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    if beside:
        path.with_name(f"a{ending}").write_text(beside)
    assert facts_of_checkpoint(path, {}, header)[0] == {"prediction_type": "v_prediction"}


@pytest.mark.parametrize("entry", ["modelspec.zero_terminal_snr", "ss_zero_terminal_snr"])
def test_noise_down_to_nothing_is_told_by_the_header(entry: str, tmp_path: Path) -> None:
    facts = facts_of_checkpoint(tmp_path / "a.safetensors", {}, {entry: "True"})[0]
    assert facts == {"rescale_betas_zero_snr": True}


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
