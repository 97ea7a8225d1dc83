"""A widened autoencoder, all attention weights, the embedded model; and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import nn
from typer.testing import Result

from acetate.adapters import AttentionSharing, WeightPatch
from acetate.model_import.importing import import_any
from acetate.models import load_pipeline
from acetate.models.shipped import EMBEDDED_FOLDER
from acetate.training.conversion.layouts import LAYOUTS, build_pair
from acetate.training.conversion.low_rank import TrainedAttention, as_pair
from acetate.training.conversion.pair_files import read_pair, write_pair
from acetate.training.conversion.patch_files import write_patch
from acetate.training.conversion.widened_stage import widened
from acetate.training.starting import start_from
from tests.parity.reference import listing
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_flux import tiny_transformer
from tests.support.tiny_flux2 import write_tiny_flux2

pytestmark = pytest.mark.matrix


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sd15(tmp_path_factory.mktemp("base") / "tiny-sd15")


def test_a_widened_autoencoder_begins_as_the_old_one_with_full_alpha(base: Path) -> None:
    old = AutoencoderKL.from_pretrained(base / "vae").eval()
    new: Any = widened(old).eval()
    pictures, alpha = torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        theirs = old.encode(pictures).latent_dist.mean
        ours = new.encode(torch.cat([pictures, alpha], 1)).latent_dist.mean
        assert torch.equal(ours, theirs)
        seen, plain = new.decode(ours).sample, old.decode(theirs).sample
    assert torch.allclose(seen[:, :3], plain, atol=1e-6)
    assert torch.equal(seen[:, 3], torch.ones_like(seen[:, 3]))


def test_a_widened_autoencoder_is_written_as_an_adapter_and_goes_on_to_the_same_bytes(
    base: Path, layers: Path, train: Callable[..., Result], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def run(out: Path) -> Result:
        words = ("--base", base, "--kind", "widened", "--data", layers, "--out", out)
        brief = ("--steps", 12, "--batch", 2, "--size", 32, "--rate", 1e-3)
        return train("transparency", *words, *brief, "--checkpoint-steps", 4)

    done = run(tmp_path / "whole")
    assert done.exit_code == 0, done.output
    from acetate.training.conversion import widened_stage

    real = widened_stage.WidenedStage.forward

    def stopping(self: nn.Module, batch: dict[str, torch.Tensor], step: int) -> object:
        if step == 6:
            raise KeyboardInterrupt
        return real(self, batch, step)

    with monkeypatch.context() as patch:
        patch.setattr(widened_stage.WidenedStage, "forward", stopping)
        assert run(tmp_path / "parts").exit_code != 0
    assert run(tmp_path / "parts").exit_code == 0
    file = "vae/diffusion_pytorch_model.safetensors"
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "parts" / file).read_bytes()
    told = json.loads((tmp_path / "whole" / "adapter.json").read_text())
    assert (told["format"], told["family"], told["alpha"]) == ("rgba-adapter", "sd15", "straight")
    network = AutoencoderKL.from_pretrained(tmp_path / "whole" / "vae")
    assert network.config["in_channels"] == network.config["out_channels"] == 4
    assert load_file(tmp_path / "whole" / file)["encoder.conv_in.weight"][:, 3].any()


def test_klein_becomes_transparent_by_a_widened_autoencoder_and_a_lora(
    layers: Path, train: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = write_tiny_flux2(tmp_path / "tiny-klein")
    common = ("--data", layers, "--out", tmp_path / "glass", "--batch", 1, "--steps", 2)
    given = ("--base", folder, *common, "--size", 32)
    assert "--kind widened" in str(train("transparency", *given).exception)
    assert "no transparency yet" in str(train("layers", *given).exception)
    done = train("transparency", *given, "--kind", "widened")
    assert done.exit_code == 0, done.output
    klein = import_any(str(folder)).name
    adapter = import_any(str(tmp_path / "glass"), base=klein).name
    done = train("layers", "--base", adapter, *common, "--size", 32, "--rank", 2, "--rate", 1e-2)
    assert done.exit_code == 0, done.output
    pipeline = load_pipeline(adapter)
    assert pipeline.patch_for("text") is not None
    latent = torch.randn(1, pipeline.latent_channels, 2, 2)
    assert pipeline.decode_layer(latent, 1).shape == (1, 4, 32, 32)


@pytest.mark.parametrize("rank", [4, 0])
def test_what_attention_learned_is_the_same_in_the_official_layout_of_flux(
    rank: int, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    denoiser = tiny_transformer()
    before = {name: value.clone() for name, value in denoiser.state_dict().items()}
    attention = TrainedAttention(denoiser, rank)
    with torch.no_grad():
        for parameter in attention.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    changes = attention.changes()
    attention.remove()
    after = denoiser.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    file = load_file(write_patch(tmp_path, "flux", denoiser, changes))
    patch = WeightPatch.read(file, denoiser)
    assert {f"{name}.weight" for name in changes} == set(patch.changes)
    for name, change in changes.items():
        up, down = as_pair(change)
        found = patch.changes[f"{name}.weight"].delta(before[f"{name}.weight"])
        assert torch.allclose(found, up @ down, atol=2e-3)


def test_all_attention_weights_fit_the_layout_of_sd15(base: Path, tmp_path: Path) -> None:
    from acetate.pipelines.base_sources import open_base

    denoiser = open_base(base, "sd15").denoiser(torch.float32, torch.device("cpu"))
    attention = TrainedAttention(denoiser, 0)
    with torch.no_grad():
        for parameter in attention.whole.values():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    entered = (torch.randn(1, 4, 16, 16), torch.tensor(7), torch.randn(1, 5, 48))
    with torch.no_grad():
        wanted = denoiser(*entered).sample
        changes = attention.changes()
        attention.remove()
        plain = denoiser(*entered).sample
        file = load_file(write_patch(tmp_path, "sd15", denoiser, changes))
        with AttentionSharing.read(file, denoiser).inside(denoiser):
            found = denoiser(*entered).sample
    assert set(file) == set(listing("tiny_sd15_transparent_attn_shapes"))
    assert torch.allclose(found, wanted, atol=5e-3)
    assert not torch.allclose(plain, wanted, atol=5e-3)


@pytest.mark.parametrize("rank", [4, 0])
def test_what_attention_learned_is_the_same_in_the_official_layout_of_sdxl(
    rank: int, tmp_path: Path
) -> None:
    from acetate.pipelines.base_sources import open_base

    torch.manual_seed(1)
    folder = write_tiny_sdxl(tmp_path / "tiny-sdxl")
    denoiser = open_base(folder, "sdxl").denoiser(torch.float32, torch.device("cpu"))
    before = {name: value.clone() for name, value in denoiser.state_dict().items()}
    attention = TrainedAttention(denoiser, rank)
    with torch.no_grad():
        for parameter in attention.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.02)
    changes = attention.changes()
    attention.remove()
    file = load_file(write_patch(tmp_path, "sdxl", denoiser, changes))
    published = set(listing("tiny_xl_transparent_attn_patch_shapes"))
    weights = {name.split("::")[0] for name in file}
    assert weights == {name.split("::")[0] for name in published}
    assert rank == 0 or set(file) == published
    patch = WeightPatch.read(file, denoiser)
    assert {f"{name}.weight" for name in changes} == set(patch.changes)
    for name, change in changes.items():
        up, down = as_pair(change)
        found = patch.changes[f"{name}.weight"].delta(before[f"{name}.weight"])
        assert torch.allclose(found, up @ down, atol=2e-3)


def test_the_embedded_autoencoder_gets_a_pair_of_the_shipped_shape(
    layers: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    from acetate.training.transparency import build_pair

    words = ("--base", "embedded", "--data", layers, "--out", tmp_path)
    brief = ("--steps", 2, "--batch", 1, "--size", 64, "--adversarial", 0)
    done = train("transparency", *words, *brief)
    assert done.exit_code == 0, done.output
    encoder, decoder = build_pair()
    for name, module in (("encoder", encoder), ("decoder", decoder)):
        state = load_file(tmp_path / f"{name}.safetensors")
        module.load_state_dict({key: value.float() for key, value in state.items()})
    assert start_from({"encoder": encoder}, EMBEDDED_FOLDER) is None
    assert json.loads((tmp_path / "config.json").read_text())["offset_factor"] == 1.0


def test_a_decoder_is_trained_on_alone_behind_the_encoder_of_a_pair(
    base: Path, layers: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    shape = base / "transparency" / "config.json"
    words = ("--base", base, "--data", layers, "--out", tmp_path, "--shape", shape)
    brief = ("--size", 64, "--batch", 1, "--steps", 2, "--rate", 1e-3, "--adversarial", 0)
    assert train("transparency", *words, *brief).exit_code == 0
    encoder, decoder = (
        tmp_path / f"layer_sd15_vae_transparent_{name}.safetensors"
        for name in ("encoder", "decoder")
    )
    before = encoder.read_bytes(), decoder.read_bytes()
    done = train("transparency", *words, *brief, "--decoder-alone", "--seed", 2)
    assert done.exit_code == 0, done.output
    after = encoder.read_bytes(), decoder.read_bytes()
    assert after[0] == before[0], "the latents that a denoiser has learned stay"
    assert after[1] != before[1]
    again = train("transparency", *words, *brief, "--decoder-alone", "--seed", 2)
    assert again.exit_code == 0 and "goes on from step 2" in again.output
    assert (encoder.read_bytes(), decoder.read_bytes()) == after
    elsewhere = ("--size", 72, *brief[2:], "--decoder-alone")
    assert "with another side" in str(train("transparency", *words, *elsewhere).exception)


def test_a_pair_begins_with_a_finished_one(
    base: Path, layers: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    finished = base / "transparency"
    words = ("--base", base, "--data", layers, "--out", tmp_path, "--start", finished)
    # At a rate of nothing it comes out as it went in.
    brief = ("--shape", finished / "config.json", "--size", 64, "--batch", 1, "--steps", 1)
    weights = ("--adversarial", 0, "--identity", 3)
    done = train("transparency", *words, *brief, "--rate", 0, *weights)
    assert done.exit_code == 0, done.output
    with (tmp_path / "transparency.csv").open(encoding="utf-8", newline="") as rows:
        told = {row["name"]: float(row["value"]) for row in csv.DictReader(rows)}
    whole = told["alpha"] + told["colour"] + 3 * told["identity"] + 0.02 * told["offset"]
    assert told["loss"] == pytest.approx(whole, rel=1e-3)
    for name in ("encoder", "decoder"):
        file = f"layer_sd15_vae_transparent_{name}.safetensors"
        before, after = load_file(finished / file), load_file(tmp_path / file)
        assert before.keys() == after.keys()
        for key in before:
            assert torch.allclose(after[key].float(), before[key].float(), rtol=1e-3, atol=1e-6)


def test_the_plain_picture_comes_to_count_more_in_the_first_half_of_a_training(
    base: Path, layers: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    words = ("--base", base, "--data", layers, "--out", tmp_path)
    shape = ("--shape", base / "transparency" / "config.json", "--size", 64, "--batch", 1)
    brief = ("--steps", 4, "--checkpoint-steps", 1, "--adversarial", 0, "--identity", 3)
    done = train("transparency", *words, *shape, *brief)
    assert done.exit_code == 0, done.output
    told: dict[str, dict[str, float]] = {}
    with (tmp_path / "transparency.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            told.setdefault(row["step"], {})[row["name"]] = float(row["value"])
    for step, weight in (("1", 0.5), ("2", 1.75), ("3", 3), ("4", 3)):
        now = told[step]
        whole = now["alpha"] + now["colour"] + weight * now["identity"] + 0.02 * now["offset"]
        assert now["loss"] == pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize("family", ["sd15", "flux", "embedded"])
def test_a_pair_is_read_as_it_was_written(family: str, tmp_path: Path) -> None:
    shape = {"encoder": {"widths": [4, 4]}, "decoder": {"widths": [4, 4, 4, 4]}}

    def stage(seed: int) -> Any:
        torch.manual_seed(seed)
        pair = build_pair(family, 4, shape)
        nn.init.normal_(pair[0].blocks[-1].weight)  # Untrained it is nothing but zeros.
        return SimpleNamespace(layout=LAYOUTS[family], encoder=pair[0], decoder=pair[1], gain=2.0)

    written, read = stage(1), stage(2)
    write_pair(tmp_path, family, written, nn.Linear(1, 1))
    read_pair(tmp_path, read)
    for name in ("encoder", "decoder"):
        theirs = getattr(written, name).state_dict()
        for key, value in getattr(read, name).state_dict().items():
            assert torch.allclose(value, theirs[key], rtol=1e-3, atol=1e-6), (name, key)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("transparency", "--base", "BASE", "--start", "none"), "is missing"),
        (("transparency", "--base", "BASE", "--start", "PAIR"), "no encoder of this shape"),
        (("transparency", "--base", "BASE", "--start", "PAIR", "--decoder-alone"), "another one"),
        (("transparency", "--base", "BASE", "--decoder-alone"), "no trained pair"),
        (("transparency", "--base", "BASE", "--kind", "widened", "--decoder-alone"), "widened"),
        (("transparency", "--base", "nobody"), "nobody"),
        (("transparency", "--base", "BASE", "--data", "none"), "no folder at none"),
        (("transparency", "--base", "BASE", "--size", "60"), "no multiple of 8"),
        (("transparency", "--base", "BASE", "--shape", "none.json"), "shape of a pair"),
        (("transparency", "--base", "BASE", "--eight-bit"), "bitsandbytes"),
        (("layers", "--base", "embedded"), "acetate train denoiser"),
        (("layers", "--base", "BASE", "--pair", "none"), "is missing"),
        (("layers", "--base", "BASE", "--pair", "PAIR", "--size", "72"), "no multiple of 16"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(
    words: tuple[str, ...], sentence: str, base: Path, layers: Path,
    train: Callable[..., Result], tmp_path: Path,
) -> None:  # fmt: skip
    places = {"BASE": str(base), "PAIR": str(base / "transparency")}
    given = [places.get(word, word) for word in words]
    if "--data" not in given:
        given += ["--data", str(layers)]
    result = train(*given, "--out", tmp_path, "--steps", 1, "--batch", 1)
    error = result.exception
    assert result.exit_code != 0 and getattr(error, "message", ""), result.output
    assert sentence in str(error)


def test_layers_are_not_taught_with_latents_of_another_pair(
    base: Path, layers: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    pair = shutil.copytree(base / "transparency", tmp_path / "pair")
    words = ("layers", "--base", base, "--data", layers, "--out", tmp_path / "out", "--pair", pair)
    brief = ("--size", 64, "--rank", 2, "--batch", 1, "--steps", 1)
    done = train(*words, *brief)
    assert done.exit_code == 0, done.output
    encoder = pair / "layer_sd15_vae_transparent_encoder.safetensors"
    state = load_file(encoder)
    save_file({name: value * 1.1 for name, value in state.items()}, encoder)
    assert "begun with another transparency" in str(train(*words, *brief).exception)
    (tmp_path / "out" / "layers.pt").unlink()
    assert train(*words, *brief).exit_code == 0
    assert len(list((tmp_path / "out").glob("cache-*"))) == 2


def test_a_pair_does_not_go_on_in_another_shape(
    base: Path, layers: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    shape = json.loads((base / "transparency" / "config.json").read_text())
    file = tmp_path / "shape.json"
    file.write_text(json.dumps(shape))
    words = ("--base", base, "--data", layers, "--out", tmp_path, "--shape", file)
    brief = ("--size", 64, "--batch", 1, "--steps", 1, "--adversarial", 0)
    assert train("transparency", *words, *brief).exit_code == 0
    shape["decoder"]["widths"] = [2 * width for width in shape["decoder"]["widths"]]
    file.write_text(json.dumps(shape))
    assert "begun with another shape" in str(train("transparency", *words, *brief).exception)


def test_layers_without_a_single_caption_are_refused(
    base: Path, train: Callable[..., Result], tmp_path: Path
) -> None:
    from tests.training.layer_pictures import layer

    (tmp_path / "data").mkdir()
    for number in range(3):
        layer(number).save(tmp_path / "data" / f"{number:04}.png")
    result = train("layers", "--base", base, "--data", tmp_path / "data", "--out", tmp_path)
    assert "None of the 3 layers" in str(result.exception)
