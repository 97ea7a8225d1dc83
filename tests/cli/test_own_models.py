"""Everything of one's own together, from the command line and over the server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate.images.files import read_image, read_recipe
from acetate.model_import.importing import import_any
from acetate.models.hashing import file_hash
from acetate.models.own_register import own_file, own_folder
from tests.app.server_process import RunningServer
from tests.breadth import BRIEF
from tests.cli.conftest import Acetate
from tests.support.original_layout import write_style
from tests.support.own_shelf import FAVOURITES, Favourite, fill_shelf, write_sketch

pytestmark = pytest.mark.slow
QUICK = ("--passes", "1", "--seed", "3")
TRIED = FAVOURITES[:2] if BRIEF else FAVOURITES
"""The bases that are tried: a brief run leaves out checkpoint files, which paint at the published
models' sizes."""
EACH = pytest.mark.parametrize("favourite", TRIED, ids=lambda each: each.model)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A filled shelf at ROOT/data/models, and a hub cache with one base."""
    root = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(root / "data" / "models"))
        patch.setenv("ACETATE_RUNTIME_DIR", str(root / "run"))
        patch.setenv("HF_HUB_CACHE", str(root / "cache"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(root / "cache"))
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        fill_shelf(root, root / "data" / "models", root / "cache")
        for side in {each.side for each in FAVOURITES}:
            write_sketch(root / f"sketch-{side}.png", side)
        yield root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[RunningServer]:
    real = ["serve", "--device", "cpu"]
    with RunningServer(root, real=real) as running:
        yield running


def quick(favourite: Favourite) -> tuple[str, ...]:
    """A step less at the sizes of the published models."""
    return ("--steps", "1" if favourite.form == "checkpoint" else "2", *QUICK)


def own_things(favourite: Favourite, root: Path) -> list[str]:
    """A style, and a sketch to follow."""
    return [
        *("--model", favourite.model, "--style", f"ink-{favourite.family}=0.7"),
        *("--control", str(root / f"sketch-{favourite.side}.png"), "--control-kind", "scribble"),
        *("--control-derive", "--control-strength", "0.8", *quick(favourite)),
    ]


def painted(root: Path, favourite: Favourite, mode: str) -> Path:
    return root / f"{favourite.model}-{mode}.png"


@EACH
def test_a_layer_is_painted_and_painted_again_byte_for_byte(
    favourite: Favourite, root: Path, acetate: Acetate
) -> None:
    path = painted(root, favourite, "text")
    things = own_things(favourite, root)
    size = ("--size", str(favourite.side))
    outcome = acetate("generate", "text", "a lantern", *things, *size, "-o", path, "--force")
    assert outcome.code == 0, outcome.err
    recipe = read_recipe(path)
    style, control = f"ink-{favourite.family}.safetensors", recipe.control
    assert recipe.styles == {style: 0.7} and control is not None
    assert control.model == f"control-{favourite.family}-scribble.safetensors"
    patch = {"sd15": "layer_sd15_transparent_attn", "sdxl": "layer_xl_transparent_attn"}
    for name in (style, control.model, f"{patch[favourite.family]}.safetensors"):
        file = own_file(name)
        assert file is not None and recipe.files[name] == file_hash(file)
    base = (
        f"{favourite.model}.safetensors" if favourite.form == "checkpoint" else "unet/config.json"
    )
    assert base in recipe.files
    if favourite.model == "favourite-xl":
        return  # The server paints it again below, and a checkpoint and the family are here.
    sketch = root / f"sketch-{favourite.side}.png"
    again = path.with_stem("again")
    outcome = acetate("generate", "--from", path, "--control", sketch, "-o", again, "--force")
    assert outcome.code == 0, outcome.err
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    # One of each family: what a base is stored as makes no difference here.
    "favourite",
    [each for each in FAVOURITES if each.form != "checkpoint"],
    ids=lambda each: each.model,
)
def test_style_and_control_each_change_the_picture(
    favourite: Favourite, root: Path, acetate: Acetate
) -> None:
    things = own_things(favourite, root)
    size = ("--size", str(favourite.side))
    bare = [things[0], things[1], *quick(favourite)]
    pictures = {read_image(painted(root, favourite, "text")).data}
    for name, arguments in (("style", [*bare, *things[2:4]]), ("bare", bare)):
        path = root / f"{favourite.model}-{name}.png"
        outcome = acetate("generate", "text", "a lantern", *arguments, *size, "-o", path, "--force")
        assert outcome.code == 0, outcome.err
        pictures.add(read_image(path).data)
    assert len(pictures) == 3


@EACH
def test_a_background_is_painted_around_it(
    favourite: Favourite, root: Path, acetate: Acetate
) -> None:
    layer, path = painted(root, favourite, "text"), painted(root, favourite, "background")
    things = own_things(favourite, root)
    outcome = acetate("generate", "background", layer, "a room", *things, "-o", path, "--force")
    assert outcome.code == 0, outcome.err
    assert {f"ink-{favourite.family}.safetensors"} < set(read_recipe(path).files)
    if favourite.form == "checkpoint":
        return  # Its layer was painted again; how a base is stored makes no other difference.
    sketch = root / f"sketch-{favourite.side}.png"
    again = path.with_stem("again")
    inputs = ("--layer", layer, "--control", sketch)
    outcome = acetate("generate", "--from", path, *inputs, "-o", again, "--force")
    assert outcome.code == 0, outcome.err
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("favourite", "mode"),
    # Each base once, and each mode in both families and in more than one form.
    list(zip(FAVOURITES, ["text", "background", "background", "text"], strict=True)),
    ids=lambda each: each.model if isinstance(each, Favourite) else each,
)
def test_the_server_paints_the_same(
    favourite: Favourite, mode: str, root: Path, server: RunningServer, acetate: Acetate
) -> None:
    here = painted(root, favourite, mode)
    things = own_things(favourite, root)
    path = here.with_stem(f"{here.stem}-served")
    words = ["a lantern", "--size", str(favourite.side)]
    if mode == "background":
        words = [str(painted(root, favourite, "text")), "a room"]
    outcome = acetate("generate", mode, *words, *things, "--server", "local", "-o", path, "--force")
    assert outcome.code == 0, outcome.err + server.log.read_text()[-2000:]
    assert read_image(path) == read_image(here)
    assert read_recipe(path) == read_recipe(here)


def test_a_changed_or_missing_file_is_named_when_it_is_painted_again(
    root: Path, acetate: Acetate
) -> None:
    favourite = FAVOURITES[0]
    path, sketch = painted(root, favourite, "text"), root / f"sketch-{favourite.side}.png"

    def again() -> str:
        outcome = acetate("generate", "--from", path, "--control", sketch, "-o", root / "never.png")
        assert outcome.code == 2 and not (root / "never.png").exists()
        assert outcome.err.count("\n") == 1
        return outcome.err

    for name, why in {
        "ink-sd15.safetensors": "The imported file ink-sd15.safetensors is missing",
        "control-sd15-scribble.safetensors": "control-sd15-scribble.safetensors is missing",
        "layer_sd15_transparent_attn.safetensors": "layer_sd15_transparent_attn.safetensors is",
        "layer_sd15_vae_transparent_decoder.safetensors": "transparent_decoder.safetensors is",
    }.items():
        file = own_folder() / name
        file.rename(root / "aside")
        assert why in again()
        os.rename(root / "aside", file)
    for place, name in (
        (own_folder(), "ink-sd15.safetensors"),
        (own_folder(), "control-sd15-scribble.safetensors"),
        (own_folder(), "layer_sd15_transparent_attn.safetensors"),
        (root / "my-folder", "unet/diffusion_pytorch_model.safetensors"),
        (root / "my-folder", "vae/config.json"),
        (root / "my-folder", "tokenizer/vocab.json"),
    ):
        file = place / name
        before = file.read_bytes()
        # One bit of the last number, or a blank more in a text.
        after = before + b" " if file.suffix == ".json" else before[:-1] + bytes([before[-1] ^ 1])
        file.write_bytes(after)
        assert f"The file {name} has changed since the picture was painted" in again()
        file.write_bytes(before)
    (root / "my-folder" / "unet" / "config.json").rename(root / "aside")
    assert "unet/config.json" in again()
    (root / "aside").rename(root / "my-folder" / "unet" / "config.json")


def test_what_is_for_another_family_is_explained(root: Path, acetate: Acetate) -> None:
    outcome = acetate(
        *("generate", "text", "a cat", "--model", "my-folder", "--style", "ink-sdxl"),
        *("-o", root / "never.png"),
    )
    assert outcome.code == 2
    assert "ink-sdxl.safetensors is for sdxl, but the model “my-folder” is of the family sd15" in (
        outcome.err
    )
    outcome = acetate(
        *("generate", "text", "a cat", "--model", "my-folder", "--style", "oil"),
        *("-o", root / "never.png"),
    )
    assert "There is no style called “oil”" in outcome.err


def test_the_models_are_listed_with_what_they_are(root: Path, acetate: Acetate) -> None:
    listing = acetate("models", "list").out
    for favourite in FAVOURITES:
        assert any(
            line.startswith(favourite.model) and " here " in line for line in listing.splitlines()
        )
    assert "control  sd15 scribble" in listing and "style    sdxl" in listing
    shown = acetate("models", "show", "favourite-15").out
    assert "favourite-15.safetensors (your own), here" in shown


def test_two_imports_of_one_name_are_refused(root: Path, tmp_path: Path) -> None:
    from acetate.models.own_register import CannotImport

    write_style(tmp_path / "ink-sd15.safetensors", "sd15", "kohya")
    with pytest.raises(CannotImport, match="imported already"):
        import_any(str(tmp_path / "ink-sd15.safetensors"))
