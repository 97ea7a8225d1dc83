"""Models of strangers: whatever their files say, a sentence comes back, and soon."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import acetate.model_import.convert_pickle as unpickling
from acetate.adapters.style_scales import METADATA, Scales
from acetate.errors import AcetateError, ModelDamaged
from acetate.model_import.importing import import_any
from acetate.models.foreign_files import is_pickled, what_it_is
from acetate.models.identify import recognise
from acetate.models.network_config import read_network_config
from acetate.models.own_register import own_files, remove_own
from acetate.models.recognition_error import NotRecognised
from acetate.models.tokenizer_file import read_tokenizer
from acetate.models.training_facts import facts_of_checkpoint
from tests.support.original_layout import write_checkpoint
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_flux import write_tiny_flux

pytestmark = pytest.mark.matrix

ODD: list[Any] = [
    None, 0, -1, 2**60, 10**7, [], {}, "x", [2**40], [1] * 1000, 1.5, True, "../../x", 10**400,
    "\0", "somebody/kernels",
]  # fmt: skip
LISTS = ['["', "[" * 100_000, "{", "null", '{"a": NaN}', '{"a": 1, "a": 2}', "\ufeff\ufeff"]


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("bases")
    return [write_tiny_sd15(place / "sd15"), write_tiny_flux(place / "flux", pickled=False)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "base.safetensors"
    write_checkpoint(path, "sd15")
    return path


def is_said(path: Path) -> bool:
    """Whether an import ended in a sentence; else it was taken over, and is forgotten again."""
    try:
        own = import_any(str(path))
    except AcetateError as error:
        assert str(error) and "Traceback" not in str(error)
        assert own_files() == []
        return True
    remove_own(own.name)
    return False


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in plain values, as a container and a key."""
    keys = list(value) if isinstance(value, dict) else []
    keys = list(range(len(value))) if isinstance(value, list) else keys
    return [place for key in keys for place in [(value, key), *places(value[key])]]


def test_a_folder_whose_configurations_lie_is_taken_over_or_explained(
    folders: list[Path], tmp_path: Path
) -> None:
    chance = random.Random(11)
    said = 0
    for number in range(24):
        folder = tmp_path / f"base-{number}"
        shutil.copytree(chance.choice(folders), folder)
        path = chance.choice(sorted(folder.rglob("*.json")))
        if chance.random() < 0.25:
            path.write_text(chance.choice(LISTS), encoding="utf-8")
        else:
            content = json.loads(path.read_text())
            container, key = chance.choice(places(content))
            container[key] = chance.choice(ODD)
            path.write_text(json.dumps(content))
        said += is_said(folder)
        shutil.rmtree(folder)
    assert said > 8


def test_a_file_whose_tensors_have_any_form_is_taken_over_or_explained(
    checkpoint: Path, tmp_path: Path
) -> None:
    chance = random.Random(12)
    whole = load_file(checkpoint)
    forms = {
        "none": lambda tensor: torch.tensor(1.0),
        "empty": lambda tensor: torch.zeros(0, *tensor.shape[1:]),
        "flat": lambda tensor: tensor.flatten(),
        "more sides": lambda tensor: tensor.reshape(*tensor.shape, 1, 1),
        "whole numbers": lambda tensor: tensor.to(torch.int64),
        "8 bits": lambda tensor: tensor.to(torch.float8_e4m3fn),
        "one row": lambda tensor: tensor[:1],
    }
    said = 0
    for number in range(12):
        state = dict(whole)
        for name in chance.sample(sorted(state), chance.choice([1, 2, 100])):
            if chance.random() < 0.3:
                far = re.sub(r"\d+", chance.choice(["900000000000", "77"]), name, count=1)
                state[far] = state.pop(name)
            else:
                state[name] = forms[chance.choice(sorted(forms))](state[name])
        path = tmp_path / f"base-{number}.safetensors"
        save_file({name: t.contiguous().clone() for name, t in state.items()}, path)
        said += is_said(path)
        path.unlink()
    assert said > 5


def test_names_of_a_model_with_shapes_of_none_are_not_recognised() -> None:
    names = [
        "blocks.16.weight", "latent_conv_in.weight", "decoder.latent_conv_in.weight",
        "token_embedding.weight",
    ]  # fmt: skip
    for name in names:
        with pytest.raises(NotRecognised):
            recognise({name: ()}, "x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_hidden_layers", 10**6),
        ("transformer_layers_per_block", [1, 10**6]),
        ("vocab_size", 2**40),
        ("block_out_channels", [32] * 10_000),
        ("auto_map", {"AutoModel": "evil.Model"}),
        ("quantization_config", {"quant_method": "bitsandbytes"}),
    ],
)
def test_a_configuration_that_no_machine_can_follow_is_refused(
    tmp_path: Path, name: str, value: Any
) -> None:
    path = tmp_path / "config.json"
    for config in ({name: value}, {"text_config": {name: value}}):
        path.write_text(json.dumps(config))
        with pytest.raises(ModelDamaged, match=r"config\.json"):
            read_network_config(path)


def test_how_something_is_computed_is_not_for_a_file_to_say(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    choices = {"_attn_implementation": "somebody/kernels", "attn_implementation": "x"}
    path.write_text(json.dumps({"hidden_size": 8, **choices, "text_config": choices}))
    assert read_network_config(path) == {"hidden_size": 8, "text_config": {}}


@pytest.mark.parametrize("characters", ["AAAA", "/////w==", "?", 7])
def test_a_tokenizer_that_its_library_would_panic_over_is_damaged(
    tmp_path: Path, characters: object, capfd: pytest.CaptureFixture[str]
) -> None:
    from tokenizers import Tokenizer

    path = tmp_path / "tokenizer.json"
    steps = {"type": "Precompiled", "precompiled_charsmap": characters}
    model = {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0.0]]}
    path.write_text(json.dumps({"version": "1.0", "normalizer": steps, "model": model}))
    with pytest.raises(ModelDamaged, match="tokenizer"):
        read_tokenizer(path, lambda: Tokenizer.from_file(str(path)))
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices are files on POSIX systems alone")
@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "transparency"])
def test_weights_that_are_no_file_are_named_and_not_waited_for(
    part: str, folders: list[Path], tmp_path: Path
) -> None:
    things: dict[str, Callable[[Path], None]] = {
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
        "loop": lambda path: path.symlink_to(path),
        "dangling": lambda path: path.symlink_to("/nowhere"),
        "device": lambda path: path.symlink_to("/dev/zero"),
        "memory": lambda path: path.symlink_to("/proc/self/mem"),
    }
    for name, make in things.items():
        folder = shutil.copytree(folders[0], tmp_path / name)
        weights = min((folder / part).glob("*.safetensors"))
        weights.unlink()
        make(weights)
        with pytest.raises(AcetateError) as said:
            import_any(str(folder))
        assert said.value.message.endswith(".") and own_files() == []
        alone = tmp_path / f"{name}.safetensors"
        make(alone)
        assert what_it_is(alone)


def test_a_panic_of_a_library_is_damage_and_not_the_end(tmp_path: Path) -> None:
    class Panic(BaseException):
        pass

    def load() -> None:
        raise Panic

    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelDamaged):
        read_tokenizer(tmp_path / "tokenizer.json", load)


@pytest.mark.parametrize("text", [b"[" * 1024, b'{"error": ' + b"[" * 900, b"{"])
def test_deep_json_instead_of_weights_is_named(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "deep.safetensors").write_bytes(text)
    assert "JSON" in what_it_is(tmp_path / "deep.safetensors")


@pytest.mark.parametrize(
    "told",
    [
        "[" * 100_000,
        '{"unet.lora_alpha": NaN}',
        '{"unet.lora_alpha": [1]}',
        '{"unet.lora_alpha": "1e9"}',
        "7",
    ],
)
def test_a_style_that_says_nonsense_of_its_strength_is_explained(told: str) -> None:
    with pytest.raises(AcetateError):
        Scales.read({METADATA: told}, "x").of("unet", "module", 2, None)


def test_a_pattern_that_would_be_tried_for_ever_is_not_tried() -> None:
    patterns = {"(x+x+)+y": 1, "((.*)*)*z": 2, "x{1,9}{1,9}{1,9}y": 3, "to_q": 4}
    told = json.dumps({"unet.alpha_pattern": patterns, "unet.lora_alpha": 8})
    scales = Scales.read({METADATA: told}, "x")
    assert scales.of("unet", "x" * 200, 2, None) == 4.0
    assert scales.of("unet", f"{'x' * 200}.to_q", 2, None) == 2.0


def test_a_configuration_whose_parts_hold_each_other_is_walked_through_once(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x]"]
    for one, other in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{one}: &{one} [{', '.join([f'*{other}'] * 8)}]")
    lines += ["k: &k {l: *k2}", "linear_start: 0.001"]
    text = "\n".join(lines).replace("k: &k {l: *k2}", "k: &k [*j, *a]")
    (tmp_path / "base.yaml").write_text(text)
    facts, _ = facts_of_checkpoint(tmp_path / "base.safetensors", {}, {})
    assert facts == {"beta_start": 0.001}


def test_pickled_containers_that_hold_each_other_are_not_walked_through(tmp_path: Path) -> None:
    inner: Any = {"a": torch.zeros(1)}
    for _ in range(20):
        inner = dict.fromkeys("abcdefgh", inner)
    torch.save(inner, tmp_path / "many.pth")
    with pytest.raises(ValueError, match="too deep"):
        unpickling.convert(tmp_path / "many.pth", tmp_path / "out")


def test_pickled_weights_of_odd_forms_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.eye(4).to_sparse()}, tmp_path / "sparse.pth")
    with pytest.raises(ValueError, match="form"):
        unpickling.convert(tmp_path / "sparse.pth", tmp_path / "out")


def test_whatever_happens_to_a_pickled_file_ends_in_a_sentence(tmp_path: Path) -> None:
    buffer, older = io.BytesIO(), io.BytesIO()
    state = {"a": torch.zeros(8), "b": torch.ones(2, 2).half()}
    torch.save(state, buffer)
    torch.save(state, older, _use_new_zipfile_serialization=False)
    chance = random.Random(13)
    refused = 0
    for good in [buffer.getvalue()] * 150 + [older.getvalue()] * 150:
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(1, len(data)) :]
        path = tmp_path / "fuzzed.pth"
        path.write_bytes(data)
        try:
            unpickling.convert(path, tmp_path / "out")
        except ValueError as error:
            refused += 1
            assert str(error).startswith("it")
    assert refused > 50


def test_an_archive_of_more_files_than_a_model_has_is_not_listed(tmp_path: Path) -> None:
    path = tmp_path / "many.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps({}))
    assert is_pickled(path)
    data = bytearray(path.read_bytes())
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    assert not is_pickled(path) and "zip" in what_it_is(path)
