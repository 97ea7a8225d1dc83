from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acetate import __version__
from acetate.images.files import write_image
from acetate.modes import MODES
from acetate_bridge.protocol.types import Image, Recipe
from tests.cli.conftest import Acetate


def test_help_names_the_commands(acetate: Acetate) -> None:
    outcome = acetate("--help")
    assert outcome.code == 0
    for command in ("generate", "show", "models", "doctor"):
        assert command in outcome.out


def test_every_mode_of_the_table_has_its_command(acetate: Acetate) -> None:
    overview = acetate("generate", "--help").out
    for mode in MODES.values():
        assert mode.info.name in overview and mode.info.words in overview
        options = acetate("generate", mode.info.name, "--help").out
        for wanted in mode.info.inputs:
            assert (wanted.name if wanted.required else f"--{wanted.name}") in options
        for role in mode.info.prompts:
            assert f"--{role}-prompt" in options


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["genrate"], "There is no command “genrate”: did you mean generate? acetate --help"),
        (["models", "lisst"], "There is no command “lisst”: did you mean list? acetate --help"),
        (["quux"], "There is no command “quux”: acetate --help lists"),
        (["text"], "There is no command “text”: it is acetate generate text."),
        (["serve", "--port", "x"], "--port takes a whole number."),
        (["serve", "--port", "99999"], "--port is at most 65535."),
        (["serve", "--quota-mb", "1"], "--quota-mb is at least 16."),
        (["serve", "--batch", "0"], "--batch is at least 1."),
        (["serve", "--device", "gpu"], "There is no device called “gpu”: use auto, cpu, cuda"),
        (
            ["serve", "--device", "cpu", "--device", "directml"],
            "There is no device called “directml”: torch does not bring DirectML. Cards of AMD",
        ),
        (["connect"], "Name the address that the other machine shows, as in acetate connect 192."),
        (["connect", "192.168.1.20:7861"], "The code is missing that the other machine shows."),
    ],
)
def test_a_mistyped_command_is_told_what_to_type(
    acetate: Acetate, words: list[str], said: str
) -> None:
    outcome = acetate(*words)
    assert outcome.code == 2 and outcome.out == ""
    assert outcome.err.startswith(said) and outcome.err.count("\n") == 1


def test_version(acetate: Acetate) -> None:
    assert acetate("--version").out == f"acetate {__version__}\n"


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; sys.argv = ['acetate', '--help']\n"
        "from acetate.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules, 'diffusers' in sys.modules)"
    )
    paths = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=paths
    )
    assert run.stdout.splitlines()[-1] == "False False"


def test_show_prints_the_recipe(acetate: Acetate, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path, Image(1, 1, bytes(4)), Recipe("text", "a red apple", seed=7, width=64))
    assert "a red apple" in acetate("show", path).out
    recipe = json.loads(acetate("show", "--json", path).out)
    assert (recipe["prompt"], recipe["seed"], recipe["width"]) == ("a red apple", 7, 64)


def test_show_of_another_picture_is_an_error(acetate: Acetate, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", Image(1, 1, bytes(4)))
    outcome = acetate("show", tmp_path / "a.png")
    assert (outcome.code, outcome.out) == (2, "")
    assert "not painted by Acetate" in outcome.err


def test_doctor_says_what_there_is(acetate: Acetate) -> None:
    outcome = acetate("doctor")
    assert outcome.code == 0
    for word in ("Acetate", "torch", "Memory", "cpu", "Embedded model"):
        assert word in outcome.out


def test_models_are_listed(acetate: Acetate) -> None:
    outcome = acetate("models", "list")
    assert outcome.code == 0
    assert "embedded" in outcome.out


def test_a_model_is_shown_with_its_files_and_licence(acetate: Acetate) -> None:
    outcome = acetate("models", "show", "sd15")
    assert outcome.code == 0
    assert "creativeml-openrail-m" in outcome.out
    assert "layer_sd15_joint.safetensors" in outcome.out
    assert acetate("models", "show", "nosuch").code == 2
