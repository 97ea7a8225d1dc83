"""Denoisers in GGUF: taken over, painted with as they are packed, and patched beside."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.quantizers.gguf.utils import dequantize_functions
from gguf import GGMLQuantizationType
from safetensors.torch import load_file
from torch import Tensor

from acetate.adapters.gguf_linear import GgufLinear, read_gguf, unpacked
from acetate.errors import ModelDamaged
from acetate.model_import.importing import import_any
from acetate.models.flux_names import rows_of, theirs
from acetate.models.gguf_header import BLOCKS, read_gguf_header
from acetate.models.recognition_error import NotRecognised
from acetate.models.weights import read_weights
from acetate.modes import run
from acetate.pipelines.base_sources import open_base
from acetate.pipelines.loading import load_pipeline
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Recipe, Request
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.original_layout import write_checkpoint
from tests.support.tiny_adapters import LORA, write_adapter
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_gguf import write_gguf
from tests.support.tiny_qwen import write_tiny_qwen

KINDS = [GGMLQuantizationType[name] for name in ("Q4_0", "Q5_1", "Q8_0")]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "own"))


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_flux(tmp_path_factory.mktemp("gguf") / "tiny-flux")


def test_the_sizes_of_blocks_are_those_of_the_format() -> None:
    for number, (name, numbers, size) in BLOCKS.items():
        kind = GGMLQuantizationType(number)
        assert kind.name == name and gguf.GGML_QUANT_SIZES[kind] == (numbers, size)
        assert name in ("F32", "F16", "BF16") or kind in dequantize_functions


def named_by_the_authors(folder: Path) -> dict[str, Tensor]:
    """The denoiser of a Flux folder as it stands in one file."""
    state = load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")
    found: dict[str, Tensor] = {}
    for module, places in theirs(state).items():
        for kind in ("weight", "bias"):
            rows = [state[f"{place}.{kind}"] for place in places if f"{place}.{kind}" in state]
            if not rows:
                continue
            count = sum(map(len, rows))
            whole = torch.empty((count, *rows[0].shape[1:]))
            for tensor, parts in zip(rows, rows_of(module, count, len(rows)), strict=True):
                split = tensor.split([end - begin for begin, end in parts])
                for (begin, end), piece in zip(parts, split, strict=True):
                    whole[begin:end] = piece
            norm = module.endswith("_norm")
            found[f"{module}.{'scale' if norm else kind}"] = whole
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_its_tensors_are_those_that_were_packed(tmp_path: Path, kind: GGMLQuantizationType) -> None:
    torch.manual_seed(0)
    state = {"wide.weight": torch.randn(6, 64), "flat.bias": torch.randn(7)}
    path = write_gguf(tmp_path / "one.gguf", state, kind)
    header = read_gguf_header(path)
    assert header.shapes == {"wide.weight": (6, 64), "flat.bias": (7,)}
    assert header.metadata["general.architecture"] == "flux"
    found = read_gguf(path)
    assert torch.equal(found["flat.bias"], state["flat.bias"])
    packed = gguf.quants.quantize(state["wide.weight"].numpy(), kind)
    expected = torch.from_numpy(gguf.quants.dequantize(packed, kind).astype(np.float32))
    assert (unpacked(found["wide.weight"], torch.float32) - expected).abs().max() < 5e-3
    # Four bits are coarse, but they are of these numbers.
    assert (expected - state["wide.weight"]).abs().max() < 0.5


def taken_over(tmp_path: Path, flux: Path, kind: GGMLQuantizationType) -> str:
    """The id of the tiny Flux in GGUF, over the folder that gives all else."""
    import_any(str(flux))
    own = import_any(str(write_gguf(tmp_path / "small.gguf", named_by_the_authors(flux), kind)))
    assert (own.role, own.families, own.name) == ("base", ("flux",), "small.gguf")
    assert set(own.supplied.values()) == {"model:tiny-flux"}
    return own.name


@pytest.mark.parametrize("kind", KINDS)
def test_flux_paints_packed_and_comes_out_of_a_painting_as_it_was(
    tmp_path: Path, flux: Path, kind: GGMLQuantizationType
) -> None:
    model = taken_over(tmp_path, flux, kind)
    adapter = write_adapter(tmp_path / "clear", flux, "flux", family="flux")
    import_any(str(adapter), base=model)
    pipeline = load_pipeline("clear", "cpu")
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    packed = [each for each in pipeline.denoiser.modules() if isinstance(each, GgufLinear)]
    assert len(packed) > 8 and {each.kind for each in packed} == {kind}
    before = snapshot(pipeline.denoiser)
    bytes_before = [each.get_buffer("packed").clone() for each in packed]
    recipe = Recipe("text", "a cat", seed=1, width=64, height=64, steps=2, guidance=1.0, passes=1)
    layers = run(Request(recipe, {}), pipeline)
    assert len(set(layers[0].image.data[3::4])) > 8
    written = layers[0].recipe
    assert written is not None and {"small.gguf", f"adapter/{LORA}"} < set(written.files)
    assert run(Request(written, {}), pipeline) == layers
    assert_untouched(pipeline.denoiser, before)
    for each, once in zip(packed, bytes_before, strict=True):
        assert torch.equal(each.get_buffer("packed"), once) and not each.changes


def test_a_patch_beside_a_packed_weight_is_the_patch_of_what_was_packed(
    tmp_path: Path, flux: Path
) -> None:
    model = taken_over(tmp_path, flux, GGMLQuantizationType.Q8_0)
    import_any(str(write_adapter(tmp_path / "clear", flux, "flux", family="flux")), base=model)
    pipeline = load_pipeline("clear", "cpu")
    patch = pipeline.patch_for("text")
    assert patch is not None
    full = FluxTransformer2DModel.from_config(pipeline.transformer.config).eval()
    state = dict(full.state_dict())
    for name in state:
        module, _, kind = name.rpartition(".")
        found: Any = pipeline.denoiser.get_submodule(module)
        own = found.weight if kind == "weight" else found.bias
        state[name] = own.detach().clone()
    full.load_state_dict(state)
    lora = read_weights(tmp_path / "clear" / LORA)
    for name in [key for key in lora if key.endswith("lora_A.weight")]:
        module = name.removeprefix("transformer.").removesuffix(".lora_A.weight")
        product = lora[name.replace("lora_A", "lora_B")] @ lora[name]
        full.get_parameter(f"{module}.weight").data += product
    torch.manual_seed(4)
    given = dict(
        hidden_states=torch.randn(1, 16, 64),
        timestep=torch.tensor([0.5]),
        guidance=torch.tensor([1.0]),
        pooled_projections=torch.randn(1, 32),
        encoder_hidden_states=torch.randn(1, 5, 16),
        txt_ids=torch.zeros(5, 3),
        img_ids=torch.zeros(16, 3),
        return_dict=False,
    )
    with torch.inference_mode():
        bare = pipeline.denoiser(**given)[0]
        patch.inject(pipeline.denoiser)
        try:
            ours = pipeline.denoiser(**given)[0]
        finally:
            patch.eject()
        expected = full(**given)[0]
        assert torch.equal(pipeline.denoiser(**given)[0], bare)
    assert (ours - expected).abs().max() < 1e-4 < (bare - expected).abs().max()


@pytest.mark.parametrize(("name", "base"), [("small", "words"), ("small-edit", "edit")])
def test_qwen_image_paints_packed_over_the_folder_that_it_is_named_after(
    tmp_path: Path, name: str, base: str
) -> None:
    for own in ("words", "edit"):
        import_any(str(write_tiny_qwen(tmp_path / own, edits=own == "edit")))
    state = load_file(tmp_path / base / "transformer" / "diffusion_pytorch_model.safetensors")
    path = write_gguf(tmp_path / f"{name}.gguf", state, architecture="qwen_image")
    own = import_any(str(path))
    assert own.families == ("qwen",) and set(own.supplied.values()) == {f"model:{base}"}
    import_any(str(write_adapter(tmp_path / "clear", tmp_path / base, "qwen")), base=own.name)
    pipeline = load_pipeline("clear", "cpu")
    pipeline.limits = FrameLimits(32, 32, 512, 512 * 512)
    assert any(isinstance(each, GgufLinear) for each in pipeline.denoiser.modules())
    before = snapshot(pipeline.denoiser)
    recipe = Recipe("text", "a cat", seed=1, width=64, height=64, steps=2, guidance=1.0, passes=1)
    layers = run(Request(recipe, {}), pipeline)
    assert len(set(layers[0].image.data[3::4])) > 8
    assert_untouched(pipeline.denoiser, before)


def test_without_a_folder_it_is_said_what_to_fetch(tmp_path: Path) -> None:
    state = {
        "transformer_blocks.0.img_mod.1.weight": torch.randn(64, 32),
        "txt_norm.weight": torch.randn(32),
    }
    path = write_gguf(tmp_path / "small.gguf", state, architecture="qwen_image")
    with pytest.raises(NotRecognised, match="needs a Qwen-Image folder") as refused:
        import_any(str(path))
    assert "acetate models pull qwen" in refused.value.hint


def packed_u_net(folder: Path, family: str) -> tuple[Path, Path]:
    """A tiny checkpoint, and its denoiser alone in GGUF."""
    whole = folder / "whole.safetensors"
    write_checkpoint(whole, family)
    prefix = "model.diffusion_model."
    state = {
        name.removeprefix(prefix): tensor
        for name, tensor in load_file(whole).items()
        if name.startswith(prefix)
    }
    return whole, write_gguf(folder / "small.gguf", state, architecture=family)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_packed_u_net_is_that_of_the_checkpoint(tmp_path: Path, family: str) -> None:
    whole, path = packed_u_net(tmp_path, family)
    small, full = (open_base(each, family).denoiser(torch.float32, CPU) for each in (path, whole))
    packed = [each for each in small.modules() if isinstance(each, GgufLinear)]
    assert len(packed) > 8
    for name, module in small.named_modules():
        if isinstance(module, GgufLinear):
            own = full.get_parameter(f"{name}.weight")
            assert (module.weight - own).abs().max() <= own.abs().max() / 100


def test_a_packed_u_net_takes_its_other_parts_from_a_base_that_is_here(tmp_path: Path) -> None:
    whole, path = packed_u_net(tmp_path, "sd15")
    import_any(str(whole))
    own = import_any(str(path))
    assert (own.role, own.families) == ("base", ("sd15",))
    assert set(own.supplied) == {"autoencoder", "text_encoder"}
    assert set(own.supplied.values()) == {"model:whole"}


def test_what_is_no_denoiser_is_refused_by_name(tmp_path: Path) -> None:
    words = {"token_embd.weight": torch.randn(64, 64), "blk.0.attn_q.weight": torch.randn(64, 64)}
    path = write_gguf(tmp_path / "chat.gguf", words, architecture="llama")
    with pytest.raises(NotRecognised, match=r"chat\.gguf is neither a model"):
        import_any(str(path))
    vae = {"decoder.up.0.block.0.conv1.weight": torch.randn(8, 8, 3, 3)}
    vae |= {"encoder.conv_in.weight": torch.randn(8, 3, 3, 3)}
    vae |= {"decoder.conv_in.weight": torch.randn(8, 4, 3, 3)}
    vae |= {"decoder.conv_out.weight": torch.randn(3, 8, 3, 3)}
    path = write_gguf(tmp_path / "vae.gguf", vae, architecture="sd1")
    with pytest.raises(NotRecognised, match="another kind than a denoiser"):
        import_any(str(path))


def text(words: bytes) -> bytes:
    return struct.pack("<Q", len(words)) + words


def tensor(name: bytes, sides: tuple[int, ...], kind: int, offset: int) -> bytes:
    shape = struct.pack(f"<I{len(sides)}Q", len(sides), *sides)
    return text(name) + shape + struct.pack("<IQ", kind, offset)


def begin(tensors: int, notes: int, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, notes)


ENDLESS = 2**62
LIES = {
    "a version of tomorrow": begin(0, 0, 9),
    "endless tensors": begin(ENDLESS, 0),
    "endless notes": begin(0, ENDLESS),
    "an endless text": begin(0, 1) + struct.pack("<Q", ENDLESS),
    "an endless list": begin(0, 1) + text(b"a") + struct.pack("<IIQ", 9, 4, ENDLESS),
    "a list that is longer than the file": begin(0, 1)
    + text(b"a")
    + struct.pack("<IIQ", 9, 4, 2**19),
    "lists in lists": begin(0, 1) + text(b"a") + struct.pack("<IIQ", 9, 9, 5),
    "an unknown type of note": begin(0, 1) + text(b"a") + struct.pack("<I", 77),
    "a file that ends": begin(3, 0),
    "an unknown type": begin(1, 0) + tensor(b"a", (32,), 16, 0) + bytes(64),
    "rows of half a block": begin(1, 0) + tensor(b"a", (33,), 8, 0) + bytes(640),
    "sides that no memory holds": begin(1, 0) + tensor(b"a", (2**40, 2**40), 0, 0),
    "too many sides": begin(1, 0) + tensor(b"a", (1,) * 5, 0, 0) + bytes(64),
    "a tensor past the end": begin(1, 0) + tensor(b"a", (32,), 0, ENDLESS),
    "one name twice": begin(2, 0) + tensor(b"a", (1,), 0, 0) * 2 + bytes(64),
    "no alignment": begin(0, 1) + text(b"general.alignment") + struct.pack("<II", 4, 0),
    "a text that is none": begin(0, 1) + text(b"\xff\xfe"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_about_itself_is_damaged(tmp_path: Path, lie: str) -> None:
    path = tmp_path / "lie.gguf"
    path.write_bytes(LIES[lie])
    with pytest.raises(ModelDamaged, match=r"lie\.gguf"):
        read_gguf_header(path)
