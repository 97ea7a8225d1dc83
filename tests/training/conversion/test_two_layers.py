"""A tiny base learns from pairs of layers to paint one for another, and paints so once imported."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file
from typer.testing import Result

from acetate.errors import BadRequest
from acetate.model_import.importing import import_any
from acetate.models import load_pipeline
from acetate.modes import run
from acetate.training.collection.entries import CollectionError
from acetate.training.collection.layer_pairs import open_pairs
from acetate.training.conversion import two_layer_stage, two_layer_weights
from acetate_bridge.protocol.types import Image as Pixels
from acetate_bridge.protocol.types import Recipe, Request, Role
from tests.parity.reference import listing
from tests.support.official_shelf import WRITERS

pytestmark = pytest.mark.matrix

FALLS_BY = 0.05
"""Share by which the loss on held-out pairs falls in the short training of a tiny base."""

WAYS = {
    ("sd15", "background", 4): ["layer_sd15_fg2bg"],
    ("sd15", "foreground", 4): ["layer_sd15_bg2fg"],
    ("sd15", "joint", 4): ["layer_sd15_joint"],
    ("sdxl", "background", 4): ["layer_xl_fg2ble", "layer_xl_fgble2bg"],
    ("sdxl", "foreground", 0): ["layer_xl_bg2ble", "layer_xl_bgble2fg"],
}


@pytest.fixture(scope="module")
def pairs(layers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from typer.testing import CliRunner

    from acetate.training.command import app

    root = tmp_path_factory.mktemp("pairs")
    (root / "rooms").mkdir()
    for number in range(4):
        tone = (40 * number, 90, 200 - 40 * number)
        Image.new("RGB", (80, 80), tone).save(root / f"rooms/room-{number}.png")
    words = ["pairs", "--layers", layers, "--pictures", root / "rooms", "--out", root / "pairs"]
    words += ["--count", 10, "--size", 64]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    return root / "pairs"


@pytest.mark.slow
@pytest.mark.parametrize(("family", "mode", "rank"), list(WAYS))
def test_a_base_learns_from_pairs_and_paints_in_the_mode(
    family: str, mode: str, rank: int, pairs: Path, train: Callable[..., Result],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The published control encoder would be a hundred times as large as the rest.
    monkeypatch.setattr(two_layer_weights, "SIGNAL_WIDTH", 16)
    base = WRITERS[family](tmp_path / f"tiny-{family}")
    pair, names = base / "transparency", WAYS[family, mode, rank]

    def learn(out: Path) -> Result:
        words = ("layers", "--mode", mode, "--base", base, "--data", pairs, "--out", out)
        brief = ("--steps", 8, "--batch", 2, "--size", 64, "--rank", rank, "--rate", 1e-2)
        return train(*words, "--pair", pair, *brief, "--checkpoint-steps", 4)

    done = learn(tmp_path / "whole")
    assert done.exit_code == 0, done.output
    real = two_layer_stage.TwoLayerStage.forward

    def stopping(self: two_layer_stage.TwoLayerStage, batch: dict, step: int) -> object:
        if step == 6 and self.name == names[-1]:
            raise KeyboardInterrupt
        return real(self, batch, step)

    with monkeypatch.context() as patch:
        patch.setattr(two_layer_stage.TwoLayerStage, "forward", stopping)
        assert learn(tmp_path / "parts").exit_code != 0
    assert learn(tmp_path / "parts").exit_code == 0
    own = import_any(str(base)).name
    for name in names:
        falls = held_out(tmp_path / "whole" / f"{name}.csv")
        assert falls[-1] < (1 - FALLS_BY) * falls[0]
        file = tmp_path / "whole" / f"{name}.safetensors"
        for kept in (file.name, f"{name}.pt", f"{name}.csv"):
            assert (tmp_path / "parts" / kept).read_bytes() == (
                tmp_path / "whole" / kept
            ).read_bytes()
        assert keys_of(family, name, set(load_file(file)), rank)
        import_any(str(file))
    for path in pair.iterdir():
        if path.suffix == ".json":
            shutil.copy(path, tmp_path / "shelf" / path.name)
        elif "vae_" in path.name:
            import_any(str(path))
    pipeline = load_pipeline(own)
    picture = {"background": {"layer": shown()}, "foreground": {"picture": shown(255)}}
    recipe = Recipe(mode, "red disc", steps=1, guidance=2, width=128, height=128, passes=1)
    painted = run(Request(recipe, images=picture.get(mode, {})), pipeline)
    assert {layer.role for layer in painted} >= {
        "background": {Role.BACKGROUND, Role.BLENDED},
        "foreground": {Role.FOREGROUND, Role.BLENDED},
        "joint": {Role.FOREGROUND, Role.BACKGROUND, Role.BLENDED},
    }[mode]


def held_out(file: Path) -> list[float]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [float(row["value"]) for row in csv.DictReader(rows) if row["name"] == "held out"]


def keys_of(family: str, name: str, found: set[str], rank: int) -> bool:
    """Whether a file has the names of the published one, or of its kinds."""
    if family == "sd15":
        return found == set(listing(f"tiny_{name.removeprefix('layer_')}_shapes"))
    published = set(listing(f"tiny_xl_{name.removeprefix('layer_xl_')}_patch_shapes"))
    if not rank:
        return found == published
    text = set(listing("tiny_xl_transparent_attn_patch_shapes"))
    return found == text | {key for key in published if "input_blocks.0.0." in key}


def shown(alpha: int = 0) -> Pixels:
    """A red square; around it alpha is as given."""
    rows = bytearray(bytes([200, 30, 30, alpha]) * 128 * 128)
    for row in range(40, 90):
        rows[4 * (128 * row + 40) : 4 * (128 * row + 90)] = bytes([200, 30, 30, 255]) * 50
    return Pixels(128, 128, bytes(rows))


def test_pairs_that_are_damaged_are_left_out_and_counted(pairs: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(pairs, tmp_path / "pairs")
    (copied / "0000001.blended.png").unlink()
    whole = (copied / "0000002.layer.png").read_bytes()
    (copied / "0000002.layer.png").write_bytes(whole[: len(whole) // 2])
    with (copied / "metadata.jsonl").open("a") as file:
        file.write('[1]\n{"file_name": "a.png"}\n')
    said: list[str] = []
    assert len(open_pairs(copied, said.append)) == 8
    assert said == [
        "8 pairs to learn from; left out: 1 cannot be read, 1 damaged or no picture, "
        "2 lines of metadata.jsonl that name no pair"
    ]


def test_a_folder_without_pairs_says_how_they_are_made(layers: Path) -> None:
    with pytest.raises(CollectionError, match="no pairs of layers") as error:
        open_pairs(layers, print)
    assert "acetate train pairs" in error.value.hint


@pytest.mark.parametrize(
    ("family", "mode", "sentence"),
    [("sdxl", "joint", "--mode background"), ("flux", "background", "needs Stable Diffusion")],
)
def test_what_nobody_has_published_is_refused(
    family: str, mode: str, sentence: str, pairs: Path, train: Callable[..., Result],
    tmp_path: Path,
) -> None:  # fmt: skip
    base = WRITERS[family](tmp_path / "base")
    words = ("layers", "--mode", mode, "--base", base, "--data", pairs, "--out", tmp_path / "out")
    error = train(*words).exception
    assert isinstance(error, BadRequest) and sentence in error.message
