"""Styles for FLUX.2 klein: told from those for FLUX.1, fused, and taken off again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from acetate.adapters.lora import StylePatch
from acetate.model_import.importing import import_any
from acetate.models.identify import recognise
from acetate.models.recognition_error import NotRecognised
from acetate.pipelines.flux2.pipeline import Flux2Pipeline
from acetate.pipelines.loading import load_folder
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.adapters.test_flux_kinds import WAYS, drawn, numbers
from tests.support.tiny_flux2 import write_tiny_flux2

State = dict[str, Tensor]
DOUBLE, SINGLE = "transformer_blocks.0", "single_transformer_blocks.0"
PLACES = {
    "double_blocks.0.txt_attn.qkv": [
        f"{DOUBLE}.attn.{name}" for name in ("add_q_proj", "add_k_proj", "add_v_proj")
    ],
    "double_blocks.0.img_mlp.0": [f"{DOUBLE}.ff.linear_in"],
    "single_blocks.0.linear1": [f"{SINGLE}.attn.to_qkv_mlp_proj"],
    "single_stream_modulation.lin": ["single_stream_modulation.linear"],
}
"""By the authors' name of a module, what diffusers calls its rows, from above."""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Flux2Pipeline:
    pipeline = load_folder(write_tiny_flux2(tmp_path_factory.mktemp("flux2") / "tiny"), "cpu")
    assert isinstance(pipeline, Flux2Pipeline)
    return pipeline


def low_rank(rows: int, columns: int) -> tuple[State, Callable[[Tensor], Tensor]]:
    up, down = numbers(rows, 2), numbers(2, columns)
    parts = {"lora_A.weight": down, "lora_B.weight": up}
    return parts, lambda weight: weight + up @ down


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["LoRA", "LoHa", "LoKr", "DoRA", "difference"])
def test_each_kind_is_fused_and_leaves_no_trace(
    pipeline: Flux2Pipeline, kind: str, way: str
) -> None:
    torch.manual_seed(1)
    transformer = pipeline.denoiser
    before = snapshot(transformer)
    file: State = {}
    expected: State = {}
    for module, places in PLACES.items():
        weights = [transformer.get_parameter(f"{place}.weight").detach() for place in places]
        joined = torch.cat(weights)
        make = low_rank if kind == "LoRA" else lambda *sides: drawn(kind, *sides)
        parts, changed = make(*joined.shape)
        file |= {f"{WAYS[way](module)}.{part}": tensor for part, tensor in parts.items()}
        split = changed(joined).split([len(weight) for weight in weights])
        expected |= dict(zip(places, split, strict=True))
    networks = {"transformer": transformer}
    style = StylePatch.read(file, networks, 1.0, "ink")
    style.inject(networks)
    for place, weight in expected.items():
        found = transformer.get_parameter(f"{place}.weight")
        assert torch.allclose(found, weight, atol=1e-5), place
    style.eject()
    assert_untouched(transformer, before)


def test_a_style_changes_the_picture_and_comes_off(pipeline: Flux2Pipeline, tmp_path: Path) -> None:
    torch.manual_seed(2)
    weight = pipeline.denoiser.get_parameter(f"{SINGLE}.attn.to_out.weight")
    file = {
        f"transformer.{SINGLE}.attn.to_out.lora_A.weight": numbers(2, weight.shape[1]),
        f"transformer.{SINGLE}.attn.to_out.lora_B.weight": numbers(weight.shape[0], 2),
    }
    save_file(file, tmp_path / "ink.safetensors")
    before = snapshot(pipeline.denoiser)
    pipeline.files.begin({})
    told = pipeline.encode_prompt(["a cat"], [""])
    noise = pipeline.draw_noise(64, 64, torch.Generator().manual_seed(3))
    bare = pipeline.denoise(noise, told, steps=2, guidance=1.0)
    with pipeline.styled([(tmp_path / "ink.safetensors", 1.0)]):
        inked = pipeline.denoise(noise, told, steps=2, guidance=1.0)
    assert not torch.equal(bare, inked)
    assert "ink.safetensors" in pipeline.files.hashes
    assert_untouched(pipeline.denoiser, before)
    assert torch.equal(pipeline.denoise(noise, told, steps=2, guidance=1.0), bare)


LINEAR1 = "single_blocks.0.linear1"
SECOND, FIRST = 9 * 3072, 7 * 3072
FAMILIES = {
    "LoRA": lambda rows: {f"diffusion_model.{LINEAR1}.lora_B.weight": (rows, 4)},
    "kohya": lambda rows: {"lora_unet_single_blocks_0_linear1.lora_up.weight": (rows, 4)},
    "difference": lambda rows: {f"diffusion_model.{LINEAR1}.diff": (rows, 3072)},
    "LoKr": lambda rows: {
        f"diffusion_model.{LINEAR1}.lokr_w1": (4, 4),
        f"diffusion_model.{LINEAR1}.lokr_w2": (rows // 4, 768),
    },
    "LoHa": lambda rows: {
        f"diffusion_model.{LINEAR1}.hada_w1_a": (rows, 4),
        f"diffusion_model.{LINEAR1}.hada_w1_b": (4, 3072),
    },
}
"""Shapes of a style by its kind, for a joined matrix of so many rows."""


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_two_are_told_apart_by_their_shapes(kind: str) -> None:
    def family(rows: int) -> tuple[str, ...]:
        shapes = dict(FAMILIES[kind](rows))
        # What every file has besides, so that a half of a pair is told as a style, too.
        shapes["diffusion_model.double_blocks.0.img_attn.proj.lora_A.weight"] = (4, 3072)
        found = recognise(shapes, "ink")
        assert found.role == "style"
        return found.families

    assert family(SECOND) == ("flux2",) and family(FIRST) == ("flux",)


def test_it_is_taken_over_for_its_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))
    names = f"transformer.{SINGLE}.attn.to_qkv_mlp_proj"
    pair = {f"{names}.lora_A.weight": numbers(2, 32), f"{names}.lora_B.weight": numbers(288, 2)}
    save_file(pair, tmp_path / "ink.safetensors")
    own = import_any(str(tmp_path / "ink.safetensors"))
    assert (own.role, own.families) == ("style", ("flux2",))
    nowhere = {name.replace("blocks.0", "blocks.47"): tensor for name, tensor in pair.items()}
    save_file(nowhere, tmp_path / "large.safetensors")
    with pytest.raises(NotRecognised, match="does not fit this model"):
        import_any(str(tmp_path / "large.safetensors"))
