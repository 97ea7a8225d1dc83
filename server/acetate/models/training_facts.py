"""How a base was trained, as its files tell it: what it predicts, and over which noise.

A base that is sampled otherwise paints noise or wrong contrast, so what cannot be sampled is
refused, and what is taken from a name alone is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from acetate.models.foreign_models import Shapes
from acetate.models.recognition_error import NotRecognised

Facts = dict[str, Any]
"""Entries of a `scheduler_config.json` that differ from those of the family."""

_VELOCITY = ("v", "vpred", "vprediction", "velocity")
_NOISE = ("", "eps", "epsilon", "noise", "epspred", "epsprediction", "epsilonprediction")
"""As files spell them, in small letters and without anything between."""
_OTHER_MARKS = {
    "edm_vpred.sigma_max": "over its own noise levels (EDM, as CosXL)",
    "edm_vpred.sigma_min": "over its own noise levels (EDM, as CosXL)",
    "edm_mean": "over its own noise levels (EDM, as Playground 2.5)",
    "edm_std": "over its own noise levels (EDM, as Playground 2.5)",
}
_OTHER_WORDS = re.compile(r"cosxl|playground[-_ ]?v?2[-_.]?5", re.IGNORECASE)
_SAMPLED = (
    "DDIM", "DDPM", "PNDM", "Euler", "Heun", "LMS", "KDPM", "DPMSolver", "DEIS", "UniPC", "LCM",
    "TCD", "SASolver",
)  # fmt: skip
"""Beginnings of the class names of diffusers' schedulers over discrete noise."""

_ZERO_MARKS = ("ztsnr", "zsnr", "zero_snr", "zero_terminal_snr", "rescale_betas_zero_snr")
_MAKERS = ("modelspec.", "ss_")
"""What stands before the names in a header: of the published standard, and of kohya's trainer."""

_LARGEST_YAML = 2**20


def facts_of_checkpoint(
    path: Path, shapes: Shapes, header: Mapping[str, str]
) -> tuple[Facts, list[str]]:
    """What one file says, or one beside it of the same name; and sentences for the person.

    Marks among the tensors come first, then the header, then a `.yaml` beside, and last the name.
    Raises NotRecognised for what cannot be sampled.
    """
    for mark, words in _OTHER_MARKS.items():
        if mark in shapes:
            raise cannot_sample(path.name, words)
    beside = _yaml_beside(path)
    header = {name.strip().lower(): words.strip() for name, words in header.items()}
    said = header.get("modelspec.prediction_type", "")
    if not said and _is_yes(header.get("ss_v_parameterization", "")):
        said = "v"
    if not said:
        said = beside.get("parameterization", "")
    spelled = re.sub(r"[^a-z]", "", said.lower())
    facts: Facts = {}
    notes: list[str] = []
    if any(name in shapes for name in ("v_pred", "v_prediction")) or spelled in _VELOCITY:
        facts["prediction_type"] = "v_prediction"
    elif spelled not in _NOISE:
        raise cannot_sample(path.name, f"to predict “{said[:40]}”")
    elif not said and re.search(r"v[-_ ]?pred", path.stem, re.IGNORECASE):
        facts["prediction_type"] = "v_prediction"
        notes.append(
            "Its name says that it predicts velocity, and nothing in it says otherwise: "
            "import it with --prediction epsilon if its pictures are noise."
        )
    told = [header.get(f"{maker}{mark}", "") for maker in _MAKERS for mark in _ZERO_MARKS]
    told.append(beside.get("zero_snr", ""))
    if any(mark in shapes for mark in _ZERO_MARKS) or any(map(_is_yes, told)):
        facts["rescale_betas_zero_snr"] = True
    if beside.get("denoiser") or _OTHER_WORDS.search(path.stem):
        where = "the configuration beside it" if beside.get("denoiser") else "its name"
        raise cannot_sample(path.name, f"over its own noise levels (EDM), as {where} says,")
    for name, entry in (("linear_start", "beta_start"), ("linear_end", "beta_end")):
        if name in beside:
            facts[entry] = float(beside[name])
    return facts, notes


def check_scheduler(config: Mapping[str, Any], name: str) -> None:
    """Raises NotRecognised for the scheduler of a folder whose noise cannot be sampled."""
    kind = str(config.get("_class_name") or "EulerDiscreteScheduler")
    if not kind.startswith(_SAMPLED) or "FlowMatch" in kind:
        raise cannot_sample(name, f"for the scheduler {kind[:60]}")
    if (flow := str(config.get("prediction_type", "epsilon"))) not in ("epsilon", "v_prediction"):
        raise cannot_sample(name, f"to predict “{flow[:40]}”")
    if config.get("use_flow_sigmas"):
        raise cannot_sample(name, "by flow matching")


def cannot_sample(name: str, words: str) -> NotRecognised:
    """The error for a base that was trained in another way."""
    return NotRecognised(
        f"{name} was trained {words}, which Acetate cannot sample: "
        "take a base that predicts noise (epsilon) or velocity over the noise of "
        "Stable Diffusion."
    )


def _yaml_beside(path: Path) -> dict[str, str]:
    """What matters of the first code's configuration of the same name, as words."""
    names = {path.stem + ending for ending in (".yaml", ".yml")}
    names |= {path.name + ending for ending in (".yaml", ".yml")}
    small = {name.lower() for name in names}
    # Those of exactly that name first, then in letters of another case.
    try:
        found = [each for each in path.parent.iterdir() if each.name.lower() in small]
    except OSError:  # A folder whose files can be read and not listed.
        found = [path.with_name(name) for name in names]
    for beside in sorted(found, key=lambda each: (each.name not in names, each.name)):
        if beside.is_file() and beside.stat().st_size <= _LARGEST_YAML:
            return _read_yaml(beside)
    return {}


def _is_yes(words: str) -> bool:
    return words.strip().lower() in ("true", "1", "yes")


def _read_yaml(path: Path) -> dict[str, str]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise NotRecognised(
            f"{path.name} lies beside the model and cannot be read.",
            "It may say how the model was trained: mend it, or move it away.",
        ) from error
    found: dict[str, str] = {}
    for said, value in _leaves(content):
        name = said.lower()
        if name in ("parameterization", "prediction_type"):
            found.setdefault("parameterization", str(value))
        elif name in ("linear_start", "linear_end") and _is_number(value):
            found.setdefault(name, str(value))
        elif name in _ZERO_MARKS:
            found.setdefault("zero_snr", str(value))
        elif name == "target" and re.search(r"EDM|VScaling|FlowMatch|RectifiedFlow", str(value)):
            _take_target(found, str(value))
    return found


def _take_target(found: dict[str, str], target: str) -> None:
    if target.rpartition(".")[2] == "VScaling":
        found.setdefault("parameterization", "v")
    else:
        found["denoiser"] = f"EDM ({target})"


def _leaves(content: object) -> Iterator[tuple[str, object]]:
    """Names and values, each part once: parts that name each other could go on for ever."""
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", content)]
    while waiting:
        name, value = waiting.pop()
        mark = id(value)
        if not isinstance(value, (Mapping, list)):
            yield name, value
        elif mark not in seen:
            seen.add(mark)
            inside = (
                [(str(key), inner) for key, inner in cast("dict[Any, Any]", value).items()]
                if isinstance(value, Mapping)
                else [(name, inner) for inner in cast("list[Any]", value)]
            )
            waiting.extend(reversed(inside))


def _is_number(value: object) -> bool:
    try:
        return 0 < float(str(value)) < 1
    except ValueError:
        return False
