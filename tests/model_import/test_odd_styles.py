"""Styles as many trainers write them: each paints what its numbers say, or is refused at import."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from acetate.adapters.lora import StylePatch
from acetate.errors import AcetateError
from acetate.model_import.importing import import_any
from acetate.models.identify import header_of
from acetate.models.own_register import own_folder
from acetate.models.weights import read_weights
from acetate.pipelines.loading import load_folder
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from tests.support.tiny_families import write_tiny_sd15

pytestmark = pytest.mark.matrix

State = dict[str, Tensor]
Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "up_blocks.0.resnets.0.conv1"
NORM = "up_blocks.0.resnets.0.norm1"
WORDS = "text_model.encoder.layers.0.self_attn.q_proj"
HEARD = "text: encoder.layers.0.self_attn.q_proj"
"""The same as transformers 5 calls it."""
KOHYA_Q, KOHYA_CONV, KOHYA_NORM = (
    f"lora_unet_{each.replace('.', '_')}" for each in (Q, CONV, NORM)
)
WIDTH = 48
"""Of the tiny text encoder."""


def numbers(*sides: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(sum(sides) + seed)
    return torch.randn(sides, generator=generator) * 0.2


UP, DOWN = numbers(64, 2), numbers(2, 64)
UP_C, DOWN_C = numbers(64, 2, 1, 1), numbers(2, 128, 3, 3)
PRODUCT = UP @ DOWN
PRODUCT_C = (UP_C.flatten(1) @ DOWN_C.flatten(1)).reshape(64, 128, 3, 3)
CORE = numbers(2, 2, 3, 3)
ONE = torch.tensor(1.0)
Expected = Callable[[Tensor], Tensor]
"""The changed weight, of the weight as it was."""


def plus(change: Tensor) -> Expected:
    return lambda weight: weight + change


def lengths(change: Tensor, length: Tensor, sides: tuple[int, ...]) -> Expected:
    """DoRA, as its paper writes it (2402.09353): direction times length."""

    def merged(weight: Tensor) -> Tensor:
        whole = weight + change
        return length * whole / whole.pow(2).sum(dim=sides, keepdim=True).sqrt()

    return merged


def pair(name: str, down: str = "lora_down.weight", up: str = "lora_up.weight") -> State:
    return {f"{name}.{down}": DOWN, f"{name}.{up}": UP}


def peft(name: str) -> State:
    return pair(name, "lora_A.weight", "lora_B.weight")


def told(**configuration: object) -> dict[str, str]:
    return {"lora_adapter_metadata": json.dumps(configuration)}


ROWS, COLUMNS = numbers(64, 1).abs() + 1, numbers(1, 64).abs() + 1
KRON = torch.kron(numbers(4, 4), (numbers(16, 2) @ numbers(2, 16)))
TUCKER = torch.einsum("oi,ijhw,jc->ochw", UP_C.flatten(1), CORE, numbers(2, 128))
HADA = tuple(numbers(64, 2, seed=which) @ numbers(2, 64, seed=which) for which in (1, 2))


def hada(name: str) -> State:
    return {
        f"{name}.hada_w{which}_{end}": numbers(*sides, seed=which)
        for which in (1, 2)
        for end, sides in (("a", (64, 2)), ("b", (2, 64)))
    }


WORKING: dict[str, tuple[State, dict[str, str], dict[str, Expected]]] = {
    "Kohya, alpha of one number": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.alpha": torch.tensor([1.0])}, {},
        {f"{Q}.weight": plus(PRODUCT / 2)},
    ),
    "Kohya, alpha as a whole number": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.alpha": torch.tensor(4)}, {},
        {f"{Q}.weight": plus(PRODUCT * 2)},
    ),
    "Kohya, alpha nought": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.alpha": torch.tensor(0.0)}, {},
        {f"{Q}.weight": plus(ONE * 0)},
    ),
    "Kohya, linear layers as convolutions": (
        {
            f"{KOHYA_Q}.lora_down.weight": DOWN[..., None, None],
            f"{KOHYA_Q}.lora_up.weight": UP[..., None, None],
        }, {}, {f"{Q}.weight": plus(PRODUCT)},
    ),
    "Kohya, a convolution": (
        {f"{KOHYA_CONV}.lora_down.weight": DOWN_C, f"{KOHYA_CONV}.lora_up.weight": UP_C}, {},
        {f"{CONV}.weight": plus(PRODUCT_C)},
    ),
    "LoCon with a kernel between": (
        {
            f"{KOHYA_CONV}.lora_down.weight": numbers(2, 128)[..., None, None],
            f"{KOHYA_CONV}.lora_up.weight": UP_C,
            f"{KOHYA_CONV}.lora_mid.weight": CORE,
            f"{KOHYA_CONV}.alpha": ONE,
        }, {}, {f"{CONV}.weight": plus(TUCKER / 2)},
    ),
    "LoHa": (hada(KOHYA_Q), {}, {f"{Q}.weight": plus(HADA[0] * HADA[1])}),
    "LoHa with alpha": (
        {**hada(KOHYA_Q), f"{KOHYA_Q}.alpha": ONE}, {},
        {f"{Q}.weight": plus(HADA[0] * HADA[1] / 2)},
    ),
    "LoHa with kernels": (
        {
            f"{KOHYA_CONV}.hada_{part}": tensor
            for which in ("1", "2")
            for part, tensor in (
                (f"w{which}_a", UP_C.flatten(1).T.contiguous()),
                (f"w{which}_b", numbers(2, 128)),
                (f"t{which}", CORE),
            )
        }, {}, {f"{CONV}.weight": plus(TUCKER * TUCKER)},
    ),
    "LoKr, one factor thin": (
        {
            f"{KOHYA_Q}.lokr_w1": numbers(4, 4), f"{KOHYA_Q}.lokr_w2_a": numbers(16, 2),
            f"{KOHYA_Q}.lokr_w2_b": numbers(2, 16), f"{KOHYA_Q}.alpha": ONE,
        }, {}, {f"{Q}.weight": plus(KRON / 2)},
    ),
    "LoKr, both factors thin": (
        {
            f"{KOHYA_Q}.lokr_w1_a": numbers(4, 2), f"{KOHYA_Q}.lokr_w1_b": numbers(2, 4),
            f"{KOHYA_Q}.lokr_w2_a": numbers(16, 2), f"{KOHYA_Q}.lokr_w2_b": numbers(2, 16),
        }, {},
        {f"{Q}.weight": plus(
            torch.kron(numbers(4, 2) @ numbers(2, 4), numbers(16, 2) @ numbers(2, 16))
        )},
    ),
    "LoKr of a convolution": (
        {f"{KOHYA_CONV}.lokr_w1": numbers(8, 8), f"{KOHYA_CONV}.lokr_w2": numbers(8, 16, 3, 3)}, {},
        {f"{CONV}.weight": plus(
            torch.kron(numbers(8, 8)[..., None, None], numbers(8, 16, 3, 3))
        )},
    ),
    "DoRA of LyCORIS, rows": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.dora_scale": ROWS}, {},
        {f"{Q}.weight": lengths(PRODUCT, ROWS, (1,))},
    ),
    "DoRA of LyCORIS, columns": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.dora_scale": COLUMNS}, {},
        {f"{Q}.weight": lengths(PRODUCT, COLUMNS, (0,))},
    ),
    "DoRA of a convolution": (
        {
            f"{KOHYA_CONV}.lora_down.weight": DOWN_C, f"{KOHYA_CONV}.lora_up.weight": UP_C,
            f"{KOHYA_CONV}.dora_scale": ROWS[..., None, None],
        }, {}, {f"{CONV}.weight": lengths(PRODUCT_C, ROWS[..., None, None], (1, 2, 3))},
    ),
    "DoRA of diffusers": (
        {**peft(f"unet.{Q}"), f"unet.{Q}.lora_magnitude_vector": ROWS[:, 0]}, {},
        {f"{Q}.weight": lengths(PRODUCT, ROWS, (1,))},
    ),
    "DoRA of PEFT": (
        {**peft(f"base_model.model.{Q}"),
         f"base_model.model.{Q}.lora_magnitude_vector.default.weight": ROWS[:, 0]}, {},
        {f"{Q}.weight": lengths(PRODUCT, ROWS, (1,))},
    ),
    "PEFT with a name for the adapter": (
        pair(f"base_model.model.{Q}", "lora_A.default.weight", "lora_B.default.weight"), {},
        {f"{Q}.weight": plus(PRODUCT)},
    ),
    "PEFT with a bias": (
        {**peft(f"unet.{CONV}"), f"unet.{CONV}.lora_A.weight": DOWN_C,
         f"unet.{CONV}.lora_B.weight": UP_C, f"unet.{CONV}.lora_B.bias": numbers(64)}, {},
        {f"{CONV}.weight": plus(PRODUCT_C), f"{CONV}.bias": plus(numbers(64))},
    ),
    "diffusers, rank-stabilised": (
        peft(f"unet.{Q}"), told(**{"unet.r": 2, "unet.lora_alpha": 2, "unet.use_rslora": True}),
        {f"{Q}.weight": plus(PRODUCT * 2**0.5)},
    ),
    "diffusers, alpha by pattern": (
        peft(f"unet.{Q}"),
        told(**{"unet.r": 2, "unet.lora_alpha": 2, "unet.alpha_pattern": {"attn1.to_q": 1}}),
        {f"{Q}.weight": plus(PRODUCT / 2)},
    ),
    "diffusers, attention processors": (
        pair(f"unet.{Q.removesuffix('.to_q')}.processor", "to_q_lora.down.weight",
             "to_q_lora.up.weight"), {},
        {f"{Q}.weight": plus(PRODUCT)},
    ),
    "OneTrainer with its words": (
        {**pair(KOHYA_Q), "bundle_emb.word.string_to_param.*": numbers(2, WIDTH),
         "bundle_emb.word.clip_l": numbers(2, WIDTH)}, {"ot_branch": "master"},
        {f"{Q}.weight": plus(PRODUCT)},
    ),
    "text encoder alone, Kohya": (
        {
            f"lora_te_{WORDS.replace('.', '_')}.lora_down.weight": numbers(2, WIDTH),
            f"lora_te_{WORDS.replace('.', '_')}.lora_up.weight": numbers(WIDTH, 2),
        }, {}, {f"{HEARD}.weight": plus(numbers(WIDTH, 2) @ numbers(2, WIDTH))},
    ),
    "text encoder alone, diffusers": (
        {
            f"text_encoder.{WORDS}.lora_A.weight": numbers(2, WIDTH),
            f"text_encoder.{WORDS}.lora_B.weight": numbers(WIDTH, 2),
        }, {}, {f"{HEARD}.weight": plus(numbers(WIDTH, 2) @ numbers(2, WIDTH))},
    ),
    "full difference with norms": (
        {f"{KOHYA_CONV}.diff": numbers(64, 128, 3, 3), f"{KOHYA_NORM}.w_norm": numbers(128),
         f"{KOHYA_NORM}.b_norm": numbers(128, seed=1)}, {},
        {f"{CONV}.weight": plus(numbers(64, 128, 3, 3)), f"{NORM}.weight": plus(numbers(128)),
         f"{NORM}.bias": plus(numbers(128, seed=1))},
    ),
    "a product and a difference of one weight": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.diff": numbers(64, 64)}, {},
        {f"{Q}.weight": plus(PRODUCT + numbers(64, 64))},
    ),
    "bf16": (
        {name: tensor.bfloat16() for name, tensor in pair(KOHYA_Q).items()}, {},
        {f"{Q}.weight": plus(UP.bfloat16().float() @ DOWN.bfloat16().float())},
    ),
    "fp8": (
        {name: tensor.to(torch.float8_e4m3fn) for name, tensor in pair(KOHYA_Q).items()}, {},
        {f"{Q}.weight": plus(
            UP.to(torch.float8_e4m3fn).float() @ DOWN.to(torch.float8_e4m3fn).float()
        )},
    ),
    "double precision": (
        {name: tensor.double() for name, tensor in pair(KOHYA_Q).items()}, {},
        {f"{Q}.weight": plus(PRODUCT)},
    ),
}  # fmt: skip

REFUSED: dict[str, tuple[State, str]] = {
    "IA3": (
        {f"{KOHYA_Q}.weight": numbers(64, 1), f"{KOHYA_Q}.on_input": ONE},
        "neither a model, a style",
    ),
    "IA3 beside a LoRA": (
        {**pair(KOHYA_Q), f"{KOHYA_CONV}.weight": numbers(64, 1), f"{KOHYA_CONV}.on_input": ONE},
        "of a kind that Acetate cannot fuse: it holds .*on_input",
    ),
    "OFT": ({f"{KOHYA_Q}.oft_blocks": numbers(4, 16, 16)}, "of a kind that Acetate cannot fuse"),
    "diagonal OFT": ({f"{KOHYA_Q}.oft_diag": numbers(4, 16)}, "of a kind that Acetate cannot fuse"),
    "GLoRA": (
        {f"{KOHYA_Q}.{each}.weight": numbers(64, 2) for each in ("a1", "a2", "b1", "b2")},
        "of a kind that Acetate cannot fuse",
    ),
    "NaN": ({**pair(KOHYA_Q), f"{KOHYA_Q}.lora_up.weight": UP / 0 * 0}, "what is no number"),
    "infinite": ({**pair(KOHYA_Q), f"{KOHYA_Q}.lora_up.weight": UP / 0}, "what is no number"),
    "alpha that is no number": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.alpha": torch.tensor(torch.nan)}, "what is no number",
    ),
    "alpha of two numbers": (
        {**pair(KOHYA_Q), f"{KOHYA_Q}.alpha": torch.tensor([1.0, 2.0])},
        "its strength in 2 numbers",
    ),
    "whole numbers": (
        {name: (tensor * 100).to(torch.int8) for name, tensor in pair(KOHYA_Q).items()},
        "holds whole numbers in",
    ),
    "rank nought": (
        {f"{KOHYA_Q}.lora_down.weight": DOWN[:0], f"{KOHYA_Q}.lora_up.weight": UP[:, :0]},
        "matrices of no rank",
    ),
    "up without down": ({f"{KOHYA_Q}.lora_down.weight": DOWN}, "is incomplete"),
    "ranks that differ": (
        {f"{KOHYA_Q}.lora_down.weight": numbers(3, 64), f"{KOHYA_Q}.lora_up.weight": UP},
        "is incomplete",
    ),
    "lengths alone": (
        {**hada(KOHYA_Q), f"{KOHYA_CONV}.dora_scale": ROWS}, "is incomplete",
    ),
    "one module under two names": (
        {**pair(KOHYA_Q), **peft(f"unet.{Q}")}, "changes one weight twice",
    ),
    "nobody's modules": (pair("lora_other_thing"), "belongs to no network of a model"),
    "alpha alone": ({f"{KOHYA_Q}.alpha": ONE}, "neither a model, a style"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, nn.Module]]:
    pipeline = load_folder(write_tiny_sd15(tmp_path_factory.mktemp("base") / "tiny"), "cpu")
    assert isinstance(pipeline, StableDiffusionPipeline)
    yield dict(pipeline.networks)


def write(path: Path, state: State, header: dict[str, str] | None = None) -> None:
    # Copies: the format holds no tensor twice.
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, path, header)


@pytest.mark.parametrize("dialect", WORKING)
def test_what_is_taken_over_is_fused_as_its_numbers_say(
    tmp_path: Path, networks: dict[str, nn.Module], dialect: str
) -> None:
    state, header, expected = WORKING[dialect]
    path = tmp_path / "ink.safetensors"
    save_file(
        {name: tensor.contiguous().clone() for name, tensor in state.items()}, path, header or None
    )
    own = import_any(str(path))
    assert own.role == "style" and "sd15" in own.families
    file = own_folder() / own.name
    patch = StylePatch.read(
        read_weights(file), networks, 1.0, own.name, header_of(file) | own.facts
    )
    before = {
        f"{network} {name}": weight.detach().clone()
        for network, module in networks.items()
        for name, weight in module.named_parameters()
    }
    patch.inject(networks)
    changed = {
        f"text_encoder {name.removeprefix('text: ')}" if "text: " in name else f"unet {name}": how
        for name, how in expected.items()
    }
    for network, module in networks.items():
        for name, weight in module.named_parameters():
            key = f"{network} {name}"
            was = before[key]
            told = changed.pop(key, None)
            wanted = was if told is None else told(was)
            assert torch.allclose(weight, wanted, atol=1e-5), key
    assert not changed
    patch.eject()
    for network, module in networks.items():
        for name, weight in module.named_parameters():
            assert torch.equal(weight, before[f"{network} {name}"])


@pytest.mark.parametrize("dialect", REFUSED)
def test_what_cannot_be_fused_is_refused_in_a_sentence(tmp_path: Path, dialect: str) -> None:
    state, sentence = REFUSED[dialect]
    path = tmp_path / "ink.safetensors"
    write(path, state)
    refused(path, sentence)


def refused(path: Path, sentence: str) -> None:
    with pytest.raises(AcetateError, match=sentence) as told:
        import_any(str(path))
    assert told.value.message.endswith(".") and "\n" not in told.value.message


def raw(path: Path, header: str | bytes, body: bytes) -> Path:
    text = header if isinstance(header, bytes) else header.encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


ENTRY = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    "header",
    [
        f'{{"__metadata__":{{"epoch":7}},"{KOHYA_Q}.alpha":{ENTRY}}}',
        f'{{"__metadata__":["a"],"{KOHYA_Q}.alpha":{ENTRY}}}',
        f'{{"{KOHYA_Q}.alpha":{ENTRY},"{KOHYA_Q}.alpha":{ENTRY}}}',
        f'\ufeff{{"{KOHYA_Q}.alpha":{ENTRY}}}',
        f'{{"{KOHYA_Q}.alpha":{ENTRY[:-1]}',
    ],
    ids=["notes that are numbers", "notes that are a list", "a name twice", "BOM", "torn"],
)
def test_a_header_that_is_odd_ends_in_a_sentence(tmp_path: Path, header: str) -> None:
    refused(raw(tmp_path / "ink.safetensors", header, bytes(4)), "ink")
