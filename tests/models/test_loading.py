from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from acetate.errors import AcetateError, BadRequest, DeviceMissing, ModelDamaged, ModelMissing
from acetate.models.devices import available_devices, pick_device
from acetate.models.hashing import file_hash, model_hash
from acetate.pipelines.loading import load_folder, load_pipeline

WEIGHTS = [
    "vae/diffusion_pytorch_model.safetensors",
    "unet/model.safetensors",
    "text_encoder/model.safetensors",
    "transparency/encoder.safetensors",
    "transparency/decoder.safetensors",
    "tokenizer/tokenizer.json",
]
CONFIGS = [
    "model_index.json",
    "unet/config.json",
    "transparency/config.json",
]


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.mark.parametrize("name", WEIGHTS + CONFIGS)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelMissing, match=name):
        load_folder(copy)


@pytest.mark.parametrize("name", WEIGHTS + CONFIGS)
def test_a_file_cut_short_is_named(copy: Path, name: str) -> None:
    path = copy / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelDamaged, match=name):
        load_folder(copy)


def test_weights_of_another_shape_are_named(copy: Path) -> None:
    shutil.copy(
        copy / "transparency/encoder.safetensors", copy / "transparency/decoder.safetensors"
    )
    with pytest.raises(ModelDamaged, match=r"decoder\.safetensors"):
        load_folder(copy)


def test_a_config_that_does_not_say_enough_is_named(copy: Path) -> None:
    (copy / "transparency/config.json").write_text("{}")
    with pytest.raises(AcetateError, match=r"transparency/config\.json"):
        load_folder(copy)


def test_an_unknown_kind_of_model_is_refused(copy: Path) -> None:
    (copy / "model_index.json").write_text('{"_class_name": "Mystery"}')
    with pytest.raises(ModelDamaged, match="Mystery"):
        load_folder(copy)


@pytest.mark.parametrize("name", ["nosuch", "", "../embedded", "/etc"])
def test_an_id_is_never_a_path(name: str) -> None:
    with pytest.raises(BadRequest, match="no model called"):
        load_pipeline(name)


def test_the_hash_follows_the_weights_and_not_their_place(tiny_model: Path, copy: Path) -> None:
    names = [tiny_model / name for name in WEIGHTS]
    original = model_hash(names)
    assert model_hash(reversed([copy / name for name in WEIGHTS])) == original
    changed = copy / WEIGHTS[0]
    changed.write_bytes(changed.read_bytes() + b"\0")
    assert model_hash([copy / name for name in WEIGHTS]) != original
    assert load_folder(tiny_model).model_hash == original


def test_hashes_are_remembered_until_the_file_changes(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy / WEIGHTS[0]
    read: list[Path] = []

    def counting(path: Path) -> str:
        read.append(path)
        return file_hash(path)

    monkeypatch.setattr("acetate.models.hashing.file_hash", counting)
    first = model_hash([path])
    assert model_hash([path]) == first
    assert read == [path]
    path.write_bytes(path.read_bytes() + b"\0")
    assert model_hash([path]) != first
    assert read == [path, path]


def test_the_best_device_is_the_default_and_the_cpu_is_always_there() -> None:
    assert available_devices()[-1] == "cpu"
    assert pick_device("auto") == torch.device(available_devices()[0])
    assert pick_device("cpu") == torch.device("cpu")


def test_devices_that_are_not_there_are_refused() -> None:
    with pytest.raises(DeviceMissing, match="cuda:77"):
        pick_device("cuda:77")
    with pytest.raises(BadRequest, match="no device called “quantum”"):
        pick_device("quantum")


@pytest.mark.parametrize(("count", "mps", "best"), [(2, False, "cuda:0"), (0, True, "mps")])
def test_faster_devices_come_first(
    monkeypatch: pytest.MonkeyPatch, count: int, mps: bool, best: str
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: mps)
    assert pick_device("auto") == torch.device(best)
    assert pick_device(best.split(":")[0]).type == best.split(":")[0]
