"""RGBA adapters on tiny bases: taken over, painted with, and the base as it was before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors.torch import save_file
from torch import Tensor

from acetate.cli.models import show_model
from acetate.errors import AcetateError, ModelMissing
from acetate.latent_transparency import composite_on_grey
from acetate.model_import.importing import import_any
from acetate.models.hub_cache import missing_parts
from acetate.models.hub_hosts import CannotFetch
from acetate.models.own_register import CannotImport, own_files, remove_own
from acetate.models.pull import pull
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import model_named
from acetate.models.weights import read_weights
from acetate.modes import mode_named, run
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.model_cache import weights_of
from acetate.pipelines.sampling import Interrupted, Step
from acetate.pipelines.transparency import WidenedAutoencoder, unmultiplied
from acetate.workers.known_offer import official_models
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_adapters import (
    LORA,
    autoencoder_of,
    lora,
    widened,
    write_adapter,
    write_like_alphaanything,
    write_like_alphavae,
)
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_qwen import write_tiny_qwen

pytestmark = pytest.mark.matrix
SIDE = 128
BASES: dict[str, Callable[[Path], Path]] = {
    "sd15": write_tiny_sd15,
    "sdxl": write_tiny_sdxl,
    "flux": write_tiny_flux,
    "flux2": write_tiny_flux2,
    "qwen": partial(write_tiny_qwen, edits=True),
}
PAINTED = ("text", "refine", "fill")
LOOKING = ("background", "foreground", "extract")


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bases")
    return {family: write(root / f"tiny-{family}") for family, write in BASES.items()}


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "own"))


def picture(around: int) -> Image:
    samples = np.full((SIDE, SIDE, 4), (10, 120, 20, around), np.uint8)
    samples[32:96, 32:96] = (200, 30, 30, 255)
    return Image(SIDE, SIDE, samples.tobytes())


def request(mode: str, **changes: Any) -> Request:
    recipe = Recipe(mode, "a red apple", seed=7, steps=2, guidance=1.0, passes=1)
    recipe = replace(recipe, width=SIDE, height=SIDE, strength=0.6, **changes)
    wanted = [each.name for each in mode_named(mode).info.inputs if each.required]
    images = {name: picture(0 if name == "layer" else 255) for name in wanted}
    if mode == "extract":
        images["background"] = picture(255)
    return Request(recipe, images)


def taken_over(adapter: Path, base: Path, family: str) -> Any:
    """The pipeline of an adapter that goes onto an imported base."""
    import_any(str(base))
    own = import_any(str(adapter), base=base.name)
    assert (own.role, own.families, own.supplied) == (
        "base",
        (family,),
        {"base": f"model:{base.name}"},
    )
    pipeline = load_pipeline(adapter.name, "cpu")
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    return pipeline


@pytest.mark.parametrize("family", BASES)
def test_every_mode_paints_layers_and_the_base_is_as_before(
    tmp_path: Path, bases: dict[str, Path], family: str
) -> None:
    adapter = write_adapter(tmp_path / "clear", bases[family], family, family=family)
    pipeline = taken_over(adapter, bases[family], family)
    modes = model_named("clear").modes
    assert set(modes) == {*PAINTED, *(LOOKING if family in ("flux2", "qwen") else ())}
    before = [snapshot(network) for network in pipeline.modules]
    for mode in modes:
        steps: list[Step] = []
        layers = run(request(mode), pipeline, steps.append)
        assert (set(layers[0].image.data[3::4]) == {255}) == (mode == "background")
        assert steps[-1].preview().shape[1] == 4
        recipe = layers[0].recipe
        assert recipe is not None
        assert "adapter/vae/diffusion_pytorch_model.safetensors" in recipe.files
        assert f"adapter/{LORA}" in recipe.files
        assert run(replace(request(mode), recipe=recipe), pipeline) == layers
        for network, once in zip(pipeline.modules, before, strict=True):
            assert_untouched(network, once)


@pytest.mark.parametrize("family", ["sd15", "flux", "flux2", "qwen"])
def test_the_lora_paints_and_comes_off_when_it_is_stopped(
    tmp_path: Path, bases: dict[str, Path], family: str
) -> None:
    adapter = write_adapter(tmp_path / "clear", bases[family], family, family=family)
    pipeline = taken_over(adapter, bases[family], family)
    with_it = run(request("text"), pipeline)
    before = snapshot(pipeline.denoiser)
    own = {name: weight.clone() for name, weight in pipeline.denoiser.named_parameters()}
    inside: list[bool] = []

    def stop(step: Step) -> None:
        inside.append(
            any(not torch.equal(now, own[name]) for name, now in named(pipeline.denoiser))
        )
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request("text"), pipeline, stop)
    assert inside == [True]
    assert_untouched(pipeline.denoiser, before)
    pipeline._learnt = None
    assert run(request("text"), pipeline)[0].image != with_it[0].image


def named(network: torch.nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, weight.data) for name, weight in network.named_parameters()]


@pytest.mark.parametrize("family", ["flux", "flux2", "qwen"])
def test_a_decoder_of_alpha_stands_beside_the_untouched_autoencoder(
    tmp_path: Path, bases: dict[str, Path], family: str
) -> None:
    adapter = write_like_alphaanything(tmp_path / "anything", bases[family], family)
    if family == "flux2":  # Whose four channels, unlike the published 32, are those of SD, too.
        (adapter / "adapter.json").write_text(json.dumps({"family": "flux2"}))
    pipeline = taken_over(adapter, bases[family], family)
    own = read_weights(bases[family] / "vae" / "diffusion_pytorch_model.safetensors")
    for name, weight in pipeline.vae.state_dict().items():
        assert name not in own or torch.equal(weight, own[name])
    layers = run(request("text"), pipeline)
    assert len(set(layers[0].image.data[3::4])) > 8


def test_the_folder_of_alphavae_is_taken_as_it_is_fetched(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    pipeline = taken_over(
        write_like_alphavae(tmp_path / "av", bases["flux"]), bases["flux"], "flux"
    )
    layers = run(request("text"), pipeline)
    assert len(set(layers[0].image.data[3::4])) > 8
    recipe = layers[0].recipe
    assert recipe is not None and f"adapter/finetune_diffusion/{LORA}" in recipe.files


@torch.inference_mode()
def test_layers_are_encoded_and_decoded_by_the_published_class(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2")
    pipeline = taken_over(adapter, bases["flux2"], "flux2")
    theirs = widened(bases["flux2"], "flux2").eval()
    rgba = torch.rand(1, 4, SIDE, SIDE)
    latent = theirs.encode(rgba * 2 - 1).latent_dist.mode()
    expected = theirs.decode(latent).sample.mul(0.5).add(0.5).clamp(0, 1)
    ours = pipeline.decode_layer(pipeline.encode_layer(rgba), 1)
    assert (ours - expected).abs().max() < 1e-4


@torch.inference_mode()
def test_layers_of_alphavae_are_encoded_and_decoded_by_the_published_class(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    adapter = write_like_alphavae(tmp_path / "av", bases["flux"])
    pipeline = taken_over(adapter, bases["flux"], "flux")
    theirs = AutoencoderKL.from_pretrained(adapter).eval()
    rgba = torch.rand(1, 4, SIDE, SIDE)
    latent = theirs.encode(rgba * 2 - 1).latent_dist.mode()
    expected = theirs.decode(latent).sample.mul(0.5).add(0.5).clamp(0, 1)
    if pipeline.transparency.alpha == "premultiplied":
        expected = unmultiplied(expected)
    assert (pipeline.decode_layer(pipeline.encode_layer(rgba), 1) - expected).abs().max() < 1e-4


@torch.inference_mode()
def test_a_decoder_of_alpha_sees_in_a_latent_what_the_published_class_sees(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    adapter = write_like_alphaanything(tmp_path / "anything", bases["flux"], "flux")
    pipeline = taken_over(adapter, bases["flux"], "flux")
    colours, alphas = (autoencoder_of(bases["flux"], "flux").eval() for _ in range(2))
    alphas.decoder.conv_out = torch.nn.Conv2d(alphas.decoder.conv_out.in_channels, 1, 3, padding=1)
    weights = read_weights(adapter / "alpha_decoder.safetensors")
    alphas.decoder.load_state_dict(
        {name.removeprefix("decoder."): weight for name, weight in weights.items()}
    )
    rgba = torch.rand(1, 4, SIDE, SIDE)
    latent = colours.encode(composite_on_grey(rgba) * 2 - 1).latent_dist.mode()
    seen = [network.decode(latent).sample * 0.5 + 0.5 for network in (colours, alphas)]
    expected = torch.cat(seen, dim=1).clamp(0, 1)
    if pipeline.transparency.alpha == "premultiplied":
        expected = unmultiplied(expected)
    assert (pipeline.decode_layer(pipeline.encode_layer(rgba), 1) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("mode", ["text", "refine"])
def test_an_adapter_on_a_base_that_looks_at_nothing_paints_from_words(
    tmp_path: Path, mode: str
) -> None:
    base = write_tiny_qwen(tmp_path / "tiny-words")
    pipeline = taken_over(write_adapter(tmp_path / "clear", base, "qwen"), base, "qwen")
    assert model_named("clear").modes == PAINTED
    before = [snapshot(network) for network in pipeline.modules]
    layers = run(request(mode), pipeline)
    assert len(set(layers[0].image.data[3::4])) > 8
    for network, once in zip(pipeline.modules, before, strict=True):
        assert_untouched(network, once)


@torch.inference_mode()
def test_films_of_one_picture_are_encoded_and_decoded_by_the_published_class(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    adapter = write_adapter(tmp_path / "clear", bases["qwen"], "qwen")
    pipeline = taken_over(adapter, bases["qwen"], "qwen")
    theirs = widened(bases["qwen"], "qwen").eval()
    rgba = torch.rand(1, 4, SIDE, SIDE)
    latent = theirs.encode(rgba[:, :, None] * 2 - 1).latent_dist.mode()
    expected = theirs.decode(latent).sample[:, :, 0].mul(0.5).add(0.5).clamp(0, 1)
    ours = pipeline.decode_layer(pipeline.encode_layer(rgba), 1)
    assert (ours - expected).abs().max() < 1e-4


def test_premultiplied_colours_become_straight_ones() -> None:
    rgba = torch.rand(1, 4, 8, 8) * 0.9 + 0.1
    multiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
    assert torch.allclose(unmultiplied(multiplied), rgba, atol=1e-5)
    codec = WidenedAutoencoder("premultiplied", [])
    encoded = codec.encode(rgba, lambda seen: (seen, seen))
    assert torch.allclose(encoded, multiplied)
    assert torch.allclose(codec.decode(encoded, encoded, 1, 0), rgba, atol=1e-5)


@pytest.mark.parametrize(
    ("said", "seen", "known", "words"),
    [
        ({}, "premultiplied", "premultiplied", "premultiplied, measured by what its autoencoder"),
        ({}, "straight", "straight", "straight, measured by what its autoencoder gives back"),
        ({"alpha": "straight"}, "premultiplied", "straight", "straight, as its maker says"),
        ({"alpha": "premultiplied"}, None, "premultiplied", "premultiplied, as its maker says"),
        ({}, None, "straight", "taken as straight: its maker does not say it"),
    ],
)
def test_the_kind_of_alpha_is_measured_where_nobody_says_it(
    tmp_path: Path,
    bases: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: dict[str, str],
    seen: str | None,
    known: str,
    words: str,
) -> None:
    def discs(shown: Tensor, kind: str) -> Tensor:
        colour = shown.amax(dim=(2, 3), keepdim=True)[:, :3]
        shade = shown[:, 3:] if kind == "premultiplied" else 1
        return torch.cat([colour * shade + shown[:, :3] * 0, shown[:, 3:]], dim=1)

    if seen is not None:
        monkeypatch.setattr(
            "acetate.pipelines.measured_alpha._there_and_back",
            lambda vae, shown: discs(shown, seen),
        )
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2", family="flux2", **said)
    pipeline = taken_over(adapter, bases["flux2"], "flux2")
    assert pipeline.transparency.alpha == known
    assert any(note.startswith(f"Its alpha is {words}") for note in own_files()[-1].notes)
    show_model("clear")
    assert f"{words}" in capsys.readouterr().out


def test_words_around_a_prompt_are_the_adapters(tmp_path: Path, bases: dict[str, Path]) -> None:
    frame = "{prompt}, on nothing"
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2", prompt=frame)
    pipeline = taken_over(adapter, bases["flux2"], "flux2")
    assert pipeline.layer_words("an apple") == "an apple, on nothing"


REFUSED = {
    "alpha": ("says that its alpha is “grey”", {"alpha": "grey"}),
    "version": ("of another format than version 1", {"version": 9}),
    "prompt": ("lack the mark {prompt}", {"prompt": "on nothing"}),
    "family": ("is an RGBA adapter for Sora", {"family": "Sora"}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, bases: dict[str, Path], what: str
) -> None:
    sentence, settings = REFUSED[what]
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2", **settings)
    import_any(str(bases["flux2"]))
    with pytest.raises(NotRecognised) as refused:
        import_any(str(adapter))
    assert sentence in refused.value.message


def test_without_a_base_it_is_said_what_to_fetch(tmp_path: Path, bases: dict[str, Path]) -> None:
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2")
    with pytest.raises(NotRecognised, match="goes onto a base of the family flux2") as refused:
        import_any(str(adapter))
    assert "acetate models pull flux2" in refused.value.hint
    with pytest.raises(CannotImport, match="no model of that family called “sdxl”"):
        import_any(str(adapter), base="sdxl")


def test_an_adapter_whose_base_was_removed_says_so_until_it_is_back(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2")
    pipeline = taken_over(adapter, bases["flux2"], "flux2")
    painted = run(request("text"), pipeline)
    remove_own("tiny-flux2")
    assert missing_parts(model_named("clear")) == ["tiny-flux2"]
    (told,) = [model for model in official_models() if model.id == "clear"]
    assert told.state == "missing" and "needs tiny-flux2, which is not here any more" in told.reason
    with pytest.raises(ModelMissing, match="“clear” needs tiny-flux2, which is not here any more"):
        load_pipeline("clear", "cpu")
    with pytest.raises(CannotFetch, match="needs tiny-flux2, which is not here any more"):
        pull(model_named("clear"), accepted=True)
    import_any(str(bases["flux2"]))
    assert missing_parts(model_named("clear")) == []
    again = load_pipeline("clear", "cpu")
    again.limits = pipeline.limits
    assert run(request("text"), again) == painted


def test_an_adapter_for_another_base_is_refused(tmp_path: Path, bases: dict[str, Path]) -> None:
    import_any(str(bases["sd15"]))
    wrong = write_adapter(tmp_path / "wrong", bases["flux"], "flux", family="sd15")
    with pytest.raises(NotRecognised, match="its autoencoder has latent_channels 16"):
        import_any(str(wrong))
    foreign = write_adapter(tmp_path / "foreign", bases["sd15"], "sd15", family="sd15")
    save_file(lora(bases["flux"], "flux"), foreign / LORA)
    with pytest.raises(AcetateError, match="does not fit this model"):
        import_any(str(foreign))


def test_an_alpha_decoder_of_another_build_is_refused(
    tmp_path: Path, bases: dict[str, Path]
) -> None:
    import_any(str(bases["flux"]))
    adapter = write_like_alphaanything(tmp_path / "anything", bases["flux"], "flux")
    path = adapter / "alpha_decoder.safetensors"
    state = read_weights(path)
    state["decoder.extra.weight"] = torch.zeros(3)
    save_file(state, path)
    with pytest.raises(NotRecognised, match="built otherwise than the base's own"):
        import_any(str(adapter))


def test_memory_is_counted_with_the_base(tmp_path: Path, bases: dict[str, Path]) -> None:
    adapter = write_adapter(tmp_path / "clear", bases["flux2"], "flux2")
    import_any(str(bases["flux2"]))
    import_any(str(adapter))
    counted = weights_of(model_named("clear"))
    assert {adapter / LORA, bases["flux2"] / "vae" / "diffusion_pytorch_model.safetensors"} < {
        *counted
    }
