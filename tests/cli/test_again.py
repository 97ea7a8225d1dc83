"""Painting again: what is printed names all that is needed, and scenes are painted as scenes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from acetate.cli.again import options_of, pictures_followed
from acetate.errors import BadRequest
from acetate.images.files import read_carried, read_image, write_image
from acetate.modes import MODES
from acetate_bridge.protocol.types import Control, Image, Recipe
from tests.cli.conftest import Acetate

SIDE = 64


def draw(path: Path, colour: tuple[int, ...]) -> Path:
    """A box in the middle of a picture, on nothing or, of four numbers less, on grey."""
    samples = np.zeros((SIDE, SIDE, 4), np.uint8)
    samples[16:48, 16:48] = colour
    if path.stem == "room":
        samples[..., 3] = 255
    write_image(path, Image(SIDE, SIDE, samples.tobytes()))
    return path


@pytest.mark.parametrize("mode", MODES)
def test_what_is_shown_names_every_picture_that_is_needed(
    acetate: Acetate, tmp_path: Path, mode: str
) -> None:
    inputs = {each.name: "0" for each in MODES[mode].info.inputs} | {"control": "0"}
    followed = Control("scribble"), [Control("reference")]
    recipe = Recipe(mode, "a cat", inputs=inputs, control=followed[0], controls=followed[1])
    write_image(tmp_path / "a.png", Image(1, 1, bytes(4)), recipe)
    command = shlex.split(acetate("show", tmp_path / "a.png").out.rsplit("Paint it again: ")[1])
    wanted = [f"--{each.name}" for each in MODES[mode].info.inputs] + ["--control", "--reference"]
    for option in wanted:
        assert command[command.index(option) + 1] == "FILE"
    (tmp_path / "again.png").write_text("kept")
    outcome = acetate("generate", "--from", tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert outcome.code == 2 and "name them with" in outcome.err
    assert all(option in outcome.err for option in wanted)


@pytest.mark.parametrize("more", [[], ["--mask", "mask.png"]])
def test_a_picture_that_is_missing_is_told_before_anything_is_loaded(
    tmp_path: Path, more: list[str]
) -> None:
    recipe = Recipe("fill", "a cat", inputs={"layer": "0", "mask": "0"}, model="embedded")
    write_image(tmp_path / "a.png", Image(1, 1, bytes(4)), recipe)
    words = ["acetate", "generate", "--from", "a.png", *more, "-o", "b.png"]
    code = (
        f"import sys; sys.argv = {words!r}\n"
        "from acetate.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert run.stdout.splitlines()[-1] == "2 False"
    mask = "mask.png" if more else "FILE"
    assert f"acetate generate --from a.png --layer FILE --mask {mask} -o b.png" in run.stderr


def test_references_have_their_own_option_and_go_by_the_other_one_too() -> None:
    recipe = Recipe("text", control=Control("reference"), controls=[Control("scribble")])
    assert options_of(recipe) == {"control": "--reference", "control_2": "--control"}
    sketch, apple = Path("sketch.png"), Path("apple.png")
    wanted = {"control": apple, "control_2": sketch}
    assert pictures_followed(recipe, [sketch], [apple]) == wanted
    assert pictures_followed(recipe, [sketch, apple], []) == wanted
    with pytest.raises(BadRequest, match=r"without --reference b\.png"):
        pictures_followed(recipe, [sketch], [apple, Path("b.png")])
    with pytest.raises(BadRequest, match=r"without --control c\.png"):
        pictures_followed(recipe, [sketch, Path("c.png")], [apple])


def test_a_background_and_its_layer_are_painted_again_as_the_scene_that_they_were(
    acetate: Acetate, tiny_model: Path, tmp_path: Path
) -> None:
    layer = draw(tmp_path / "layer.png", (200, 30, 30, 255))
    hills, scene, again = (tmp_path / f"{name}.png" for name in ("hills", "scene", "again"))
    model = ["--model", tiny_model]
    words = ["generate", "background", layer, "green hills", "--steps", "2", *model]
    assert acetate(*words, "-o", hills, "--scene", scene).code == 0
    outcome = acetate("generate", "--from", scene, "--layer", layer, *model, "-o", again)
    assert (outcome.code, outcome.err) == (0, "")
    assert again.read_bytes() == scene.read_bytes() != hills.read_bytes()
    alone = ["--pick", "1", "-o", tmp_path / "alone.png"]
    assert acetate("generate", "--from", scene, "--layer", layer, *model, *alone).code == 0
    assert (tmp_path / "alone.png").read_bytes() == hills.read_bytes()


def test_a_scene_of_several_layers_carries_what_paints_it_again(
    acetate: Acetate, tiny_model: Path, tmp_path: Path
) -> None:
    room = draw(tmp_path / "room.png", (200, 30, 30, 255))
    scene, again = tmp_path / "scene.png", tmp_path / "again.png"
    model = ["--model", tiny_model]
    words = ["generate", "foreground", room, "a red apple", "--then", "a cat", "--seed", "3"]
    fixed = ["--steps", "2", "--passes", "1", *model]
    outcome = acetate(*words, *fixed, "-o", tmp_path / "a.png", "--scene", scene)
    assert outcome.code == 0
    carried = read_carried(scene)
    assert carried.scene and [each.prompt for each in carried.recipes] == ["a red apple", "a cat"]
    assert all(each.width and each.model_hash and each.inputs for each in carried.recipes)
    shown = acetate("show", scene).out
    assert "2 layers" in shown and "2: a cat, seed 4" in shown and "--picture FILE" in shown
    outcome = acetate("generate", "--from", scene, "--picture", room, *model, "-o", again)
    assert outcome.code == 0
    assert again.read_bytes() == scene.read_bytes()
    other = draw(tmp_path / "other.png", (9, 9, 9, 255))
    outcome = acetate("generate", "--from", scene, "--picture", other, *model, "-o", again)
    assert outcome.code == 2 and "is not the one it was painted with" in outcome.err
    assert read_image(again) == read_image(scene)


@pytest.mark.parametrize("mode", MODES)
def test_only_what_a_mode_has_is_shown_of_it(acetate: Acetate, tmp_path: Path, mode: str) -> None:
    from acetate_bridge.protocol.modes import mode_row

    write_image(tmp_path / "a.png", Image(1, 1, bytes(4)), Recipe(mode, width=64, height=64))
    names = [line.split("  ")[0] for line in acetate("show", tmp_path / "a.png").out.splitlines()]
    prompted = mode_row(mode).prompted
    assert all((name in names) == prompted for name in ("prompt", "seed", "steps", "guidance"))
    assert ("enlarged" in names) == (mode == "upscale")
    assert "" not in names


def test_files_of_layers_carry_no_recipe_and_are_not_called_a_strangers(
    acetate: Acetate, tmp_path: Path
) -> None:
    (tmp_path / "a.psd").write_bytes(b"8BPS" + bytes(40))
    (tmp_path / "a.ora").write_bytes(b"PK\x03\x04" + bytes(40))
    for name in ("a.psd", "a.ora"):
        outcome = acetate("show", tmp_path / name)
        assert outcome.code == 2 and "a file of layers carries none" in outcome.err
        assert "not painted" not in outcome.err
