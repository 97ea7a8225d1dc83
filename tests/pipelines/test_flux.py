"""Flux: the same latents as diffusers' own pipeline, and the published forms of what is added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline as Reference
from safetensors.torch import save_file
from torch import Tensor

from acetate.adapters.patch import PatchMismatch
from acetate.errors import BadRequest
from acetate.pipelines.flux import FluxPipeline, pack, read_flux_lora, unpack
from acetate.pipelines.flux.single_file import FluxFile
from acetate.pipelines.loading import load_folder
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_flux import tiny_lora, write_tiny_flux


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> FluxPipeline:
    folder = write_tiny_flux(tmp_path_factory.mktemp("flux") / "flux", pickled=False)
    pipeline = load_folder(folder, "cpu")
    assert isinstance(pipeline, FluxPipeline)
    return pipeline


def reference(pipeline: FluxPipeline) -> Any:
    nothing: dict[str, Any] = dict.fromkeys(
        ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
    )
    made = Reference(
        pipeline.make_scheduler(""), pipeline.vae, transformer=pipeline.transformer, **nothing
    )
    made.set_progress_bar_config(disable=True)
    return made


@torch.inference_mode()
@pytest.mark.parametrize(("width", "height"), [(128, 128), (192, 128), (128, 256)])
def test_the_latents_are_those_of_diffusers(
    pipeline: FluxPipeline, width: int, height: int
) -> None:
    prompt = pipeline.encode_prompt(["a red apple"], [""])
    noise = pipeline.draw_noise(width, height, torch.Generator().manual_seed(3))
    ours = pipeline.denoise(noise, prompt, steps=4, guidance=3.5)
    scheduler = type(pipeline.make_scheduler("")).__mro__[1].from_config(pipeline.scheduler_config)
    theirs = reference(pipeline)
    theirs.scheduler = scheduler
    tokens = theirs(
        prompt_embeds=prompt.positive,
        pooled_prompt_embeds=prompt.pooled_positive,
        width=width,
        height=height,
        num_inference_steps=4,
        guidance_scale=3.5,
        latents=pack(noise),
        output_type="latent",
    ).images
    assert (pack(ours) - tokens).abs().max() < 2e-5


def test_packing_is_undone_by_unpacking() -> None:
    latent = torch.randn(2, 16, 8, 12)
    assert torch.equal(unpack(pack(latent), 8, 12), latent)


@torch.inference_mode()
def test_the_decoder_gets_the_unclipped_picture_and_gives_alpha_last(
    pipeline: FluxPipeline,
) -> None:
    latent = torch.randn(1, 16, 16, 24) * 4
    unscaled = latent / 0.3611 + 0.1159
    pixel = pipeline.vae.decode(unscaled).sample * 0.5 + 0.5
    assert pixel.min() < 0
    expected = pipeline.transparency.decoder(pixel, unscaled).clamp(0, 1)
    assert (pipeline.decode_layer(latent, 1) - expected).abs().max() < 1e-5


@torch.inference_mode()
def test_the_encoder_sees_alpha_last(pipeline: FluxPipeline) -> None:
    rgba = torch.rand(1, 4, 128, 128)
    rgba[:, 3] = 1
    seen: list[Tensor] = []
    encoder = pipeline.transparency.encoder
    handle = encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    latent = pipeline.encode_layer(rgba)
    handle.remove()
    assert torch.equal(seen[0], rgba)
    posterior = pipeline.vae.encode(rgba[:, :3] * 2 - 1).latent_dist
    expected = posterior.mean + posterior.std * encoder(rgba) * 300
    assert (latent - (expected - 0.1159) * 0.3611).abs().max() < 1e-3


@torch.inference_mode()
def test_guidance_is_an_input_of_the_denoiser(pipeline: FluxPipeline) -> None:
    prompt = pipeline.encode_prompt(["a red apple"], [""])
    noise = pipeline.draw_noise(128, 128, torch.Generator().manual_seed(3))
    weak, strong = (
        pipeline.denoise(noise, prompt, steps=1, guidance=guidance) for guidance in (1.0, 9.0)
    )
    assert not torch.equal(weak, strong)
    with pytest.raises(BadRequest, match="cannot be told what to avoid"):
        pipeline.encode_prompt(["a red apple"], ["blur"])


@pytest.mark.parametrize("form", ["diffusers", "kohya", "peft without prefix"])
def test_the_low_rank_patch_in_the_forms_that_diffusers_reads(
    pipeline: FluxPipeline, form: str
) -> None:
    torch.manual_seed(0)
    file = tiny_lora(pipeline.transformer)
    name = "single_transformer_blocks.0.attn.to_q"
    if form == "kohya":
        down, up = torch.randn(4, 32), torch.randn(32, 4)
        key = "lora_unet_double_blocks_0_img_attn_proj"
        file = {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}
        file[f"{key}.alpha"] = torch.tensor(2.0)
        name, product = "transformer_blocks.0.attn.to_out.0", up @ down / 2
    else:
        prefix = "transformer." if form == "diffusers" else ""
        file = {prefix + key.removeprefix("transformer."): file[key] for key in file}
        product = file[f"{prefix}{name}.lora_B.weight"] @ file[f"{prefix}{name}.lora_A.weight"]
    before = snapshot(pipeline.denoiser)
    weight = pipeline.denoiser.get_parameter(f"{name}.weight").clone()
    patch = read_flux_lora(file, pipeline.denoiser)
    with patch.inside(pipeline.denoiser):
        changed = pipeline.denoiser.get_parameter(f"{name}.weight") - weight
    assert (changed - product).abs().max() < 1e-5
    assert_untouched(pipeline.denoiser, before)


def test_a_patch_for_another_model_is_refused_by_its_tensor(pipeline: FluxPipeline) -> None:
    foreign = {
        "transformer.transformer_blocks.7.attn.to_q.lora_A.weight": torch.zeros(4, 32),
        "transformer.transformer_blocks.7.attn.to_q.lora_B.weight": torch.zeros(32, 4),
    }
    with pytest.raises(PatchMismatch, match=r"transformer_blocks\.7\.attn\.to_q"):
        read_flux_lora(foreign, pipeline.denoiser)


def test_the_patch_is_used_and_taken_off_again(pipeline: FluxPipeline, tmp_path: Path) -> None:
    before = snapshot(pipeline.denoiser)
    pipeline.files.begin({})
    prompt = pipeline.encode_prompt(["a red apple"], [""])
    noise = pipeline.draw_noise(128, 128, torch.Generator().manual_seed(3))
    bare = pipeline.denoise(noise, prompt, steps=2, guidance=3.5)
    patched = pipeline.denoise(
        noise, prompt, steps=2, guidance=3.5, patch=pipeline.patch_for("text")
    )
    assert not torch.equal(bare, patched)
    assert "layerlora.safetensors" in pipeline.files.hashes
    assert_untouched(pipeline.denoiser, before)


def test_a_denoiser_in_one_file_is_among_the_files_of_its_recipe(tmp_path: Path) -> None:
    folder = write_tiny_flux(tmp_path / "flux", pickled=False)
    path = tmp_path / "favourite.safetensors"
    save_file({"double_blocks.0.img_attn.proj.weight": torch.zeros(2, 2)}, path)
    found = FluxFile(path, folder)
    assert found.files[path.name] == path
    inside = {name: file for name, file in found.files.items() if name != path.name}
    assert {"vae/config.json", "scheduler/scheduler_config.json"} < inside.keys()
    assert not any(name.startswith("transformer/") for name in inside)
    assert all(file == folder / name for name, file in inside.items())
    assert set(found.weights) == {file for file in found.files.values() if "tensors" in file.suffix}
