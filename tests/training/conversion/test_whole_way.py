"""From a folder of layers and a base of others to figures: every command, one after the other."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from acetate.evaluation.command import app as evaluate_app
from acetate.model_import.importing import import_any
from acetate.models import load_pipeline
from acetate.modes import run
from acetate_bridge.protocol.types import Recipe, Request
from tests.support.official_shelf import WRITERS
from tests.support.tiny_onnx import write_matting

pytestmark = pytest.mark.matrix

FALLS_BY = 0.4
"""Share by which the loss on held-out layers falls in the short training of a tiny base."""

SHARES = ("clear", "solid", "half-clear")
SHAPES = {"sd15": "config.json", "sdxl": "config.json", "flux": "TransparentVAE.json"}
FILES = {
    "sd15": (
        "layer_sd15_vae_transparent_encoder.safetensors",
        "layer_sd15_vae_transparent_decoder.safetensors",
        "layer_sd15_transparent_attn.safetensors",
    ),
    "sdxl": (
        "vae_transparent_encoder.safetensors",
        "vae_transparent_decoder.safetensors",
        "layer_xl_transparent_attn.safetensors",
    ),
    "flux": ("TransparentVAE.pth", "layerlora.safetensors"),
}


def figures(file: Path, name: str) -> list[float]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [float(row["value"]) for row in csv.DictReader(rows) if row["name"] == name]


def measured(*words: object) -> dict[str, dict[str, float]]:
    """The figures of an evaluation; its folder is the last word."""
    done = CliRunner().invoke(evaluate_app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    folder = Path(str(words[-1]))
    assert (folder / "sheet.png").is_file()
    return json.loads((folder / "figures.json").read_text(encoding="utf-8"))["figures"]


@pytest.mark.slow
@pytest.mark.parametrize("family", list(WRITERS))
def test_a_base_of_others_is_made_transparent_and_measured(
    family: str,
    layers: Path,
    train: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    base, out = WRITERS[family](tmp_path / f"tiny-{family}"), tmp_path / "out"
    shape = base / "transparency" / SHAPES[family]
    common = ("--base", base, "--data", layers, "--out", out, "--batch", 2)

    inspected = train("inspect", layers, "--sheet", tmp_path / "sheet.png")
    assert inspected.exit_code == 0 and "smaller than 256 pixels" in inspected.output

    brief = ("--size", 64, "--rate", 2e-3, "--adversarial", 0, "--sample-steps", 40)
    done = train("transparency", *common, *brief, "--steps", 40, "--shape", shape)
    assert done.exit_code == 0, done.output
    losses = figures(out / "transparency.csv", "held out")
    assert losses[-1] < (1 - FALLS_BY) * losses[0]

    brief = ("--rank", 4, "--rate", 2e-3, "--sample-steps", 100, "--size", 64)
    done = train("layers", *common, *brief, "--steps", 4)
    assert done.exit_code == 0, done.output
    assert len(list((out / "samples").glob("*.png"))) == 4

    own = import_any(str(base)).name
    for name in FILES[family]:
        import_any(str(out / name))
    for path in out.glob("*.json"):
        shutil.copy(path, tmp_path / "shelf" / path.name)
    pipeline = load_pipeline(own)
    side = pipeline.native
    recipe = Recipe("text", "red disc", steps=1, guidance=1, width=side, height=side, passes=1)
    (layer,) = run(Request(recipe), pipeline)
    assert (layer.image.width, layer.image.height) == (side, side)

    table = measured(
        "reconstruction", layers, "--base", own, "--limit", 1, "--longest", 128,
        "--out", tmp_path / "kept",
    )  # fmt: skip
    assert set(table) >= {own, "plain autoencoder"}
    assert {"PSNR", "SSIM", "SAD", "MSE", "Grad", "Conn"} <= set(table[own])
    assert any(name.startswith("aim: ") for name in table)

    table = measured(
        "generation", layers, "--base", own, "--samples", 2, "--steps", 1, "--epochs", 1,
        "--matting", write_matting(tmp_path / "u2net.onnx"), "--out", tmp_path / "painted",
    )  # fmt: skip
    rival = "base, cut out by u2net"
    assert list(table) == ["real layers", own, rival]
    for name in (own, rival):
        assert {"half-clear", "halo", "KID × 1000", "FID", "recognised"} <= set(table[name])
        assert sum(table[name][share] for share in SHARES) == pytest.approx(1, abs=1e-5)
    assert table["real layers"]["opaque"] == 0
    assert table[own] != table[rival]
