from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acetate.model_import.importing import hub_entry, import_any
from acetate.models.identify import NotRecognised
from acetate.models.own_register import CannotImport
from acetate.models.pull import pull
from acetate.models.registry import model_named
from tests.models.hub_server import Hub
from tests.support.tiny_families import write_tiny_sd15


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_sd15(tmp_path / "My Tiny")


def test_a_base_at_the_hub_is_fetched_and_taken_over(hub: Hub, folder: Path) -> None:
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    hub.files["someone/tiny"] = {**files, "unet/diffusion_pytorch_model.bin": b"pickled"}
    entry = hub_entry("someone/tiny", hub.address)
    assert "unet/diffusion_pytorch_model.safetensors" in entry.base_files
    assert "unet/diffusion_pytorch_model.bin" not in entry.base_files
    fetched = pull(entry, accepted=True, endpoint=hub.address)
    assert {path.name for path in fetched} >= {"model_index.json", "vocab.json"}
    own = import_any("someone/tiny")
    assert (own.name, own.families, own.form, own.native) == ("tiny", ("sd15",), "hub", 128)
    assert model_named("tiny").base == "someone/tiny"


def test_another_layout_is_explained(hub: Hub) -> None:
    with pytest.raises(NotRecognised, match="not in the layout of diffusers"):
        hub_entry("someone/weights", hub.address)


def test_a_folder_gets_a_safe_name_and_stays_where_it_is(folder: Path) -> None:
    own = import_any(str(folder))
    assert own.name.startswith("my-tiny-") and own.source == str(folder)
    entry = model_named(own.name)
    assert (entry.family, entry.native, entry.place) == ("sd15", 128, folder)


def test_a_folder_that_is_not_what_it_says_is_explained(folder: Path) -> None:
    index = folder / "model_index.json"
    index.write_text(json.dumps({"_class_name": "StableDiffusionXLPipeline"}))
    with pytest.raises(NotRecognised, match="says that it is sdxl, but its denoiser is of sd15"):
        import_any(str(folder))
    index.write_text(json.dumps({"_class_name": "SomethingElse"}))
    with pytest.raises(NotRecognised, match="holds a SomethingElse"):
        import_any(str(folder))
    index.unlink()
    with pytest.raises(CannotImport, match="has no model_index.json, but .*unet, vae"):
        import_any(str(folder))


def test_a_folder_without_a_model_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(CannotImport, match="no model in the folder"):
        import_any(str(tmp_path))


def test_the_transparency_files_of_a_base_of_ones_own_can_be_planned(folder: Path) -> None:
    entry = model_named(import_any(str(folder)).name)
    official = model_named("sd15")
    assert replace(entry, id="sd15").parts == official.parts and entry.base == ""
