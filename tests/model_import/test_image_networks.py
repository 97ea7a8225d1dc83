"""IP-Adapters and their image encoders, imported, offered, and painted with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from acetate.errors import BadRequest
from acetate.model_import.importing import import_any
from acetate.models.image_adapters import adapter_and_encoder, goes_by_pictures
from acetate.models.own_register import own_files
from acetate.models.recognition_error import NotRecognised
from acetate.workers.known_offer import official_models
from tests.support.tiny_image_adapters import (
    HIDDEN,
    PROJECTION,
    write_flux_image_adapter,
    write_image_adapter,
    write_image_encoder,
)


class Denoiser:
    """So much of a denoiser as an adapter is drawn for."""

    def __init__(self, width: int, attentions: int = 3) -> None:
        self.config = {"cross_attention_dim": width}
        self.attn_processors = {
            f"down_blocks.{at}.{kind}.processor": None
            for at in range(attentions)
            for kind in ("attn1", "attn2")
        }

    def get_submodule(self, _: str) -> Any:
        return type("Attention", (), {"inner_dim": 8})


@pytest.fixture(autouse=True)
def empty_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACETATE_DATA_DIR", str(tmp_path / "data"))
    yield


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return write_image_adapter(tmp_path / "ip-adapter_sd15.safetensors", Denoiser(768))


def references(family: str) -> list[bool]:
    return ["reference" in model.controls for model in official_models() if model.family == family]


def test_an_adapter_and_its_encoder_make_references_possible(adapter: Path, tmp_path: Path) -> None:
    own = import_any(str(adapter))
    assert (own.name, own.role, own.families) == (adapter.name, "image adapter", ("sd15",))
    assert "image encoder of 24 numbers" in own.notes[0] and "image_encoder" in own.notes[0]
    assert not goes_by_pictures("sd15") and not any(references("sd15"))
    with pytest.raises(BadRequest, match="which is not here") as refused:
        adapter_and_encoder("", "sd15", "favourite")
    assert "acetate models import" in str(refused.value.hint)
    encoder = import_any(str(write_image_encoder(tmp_path / "image_encoder")))
    assert encoder.name == f"image-encoder-{HIDDEN}.safetensors"
    assert encoder.facts["num_attention_heads"] == 4 and encoder.facts["hidden_act"] == "gelu"
    assert adapter_and_encoder("", "sd15", "favourite") == (own, encoder)
    assert all(references("sd15")) and not any(references("sdxl"))
    with pytest.raises(BadRequest, match=r"needs an image adapter \(IP-Adapter\) for sdxl"):
        adapter_and_encoder("", "sdxl", "favourite-xl")


def test_its_family_follows_from_the_words_that_it_is_beside(tmp_path: Path) -> None:
    path = write_image_adapter(tmp_path / "ip-plus.safetensors", Denoiser(2048), "plus")
    own = import_any(str(path))
    assert own.families == ("sdxl",) and own.facts["image_width"] == HIDDEN


class Transformer:
    """So much of a transformer as an adapter for Flux is drawn for."""

    config = {"joint_attention_dim": 4096}

    def __init__(self) -> None:
        attention = type("Attention", (), {"inner_dim": 8})
        self.transformer_blocks = [type("Block", (), {"attn": attention})] * 3


@pytest.mark.parametrize("layout", ["theirs", "plain"])
def test_an_adapter_for_flux_in_both_layouts(layout: str, tmp_path: Path) -> None:
    path = write_flux_image_adapter(tmp_path / "ip-flux.safetensors", Transformer(), layout)
    own = import_any(str(path))
    assert (own.role, own.families) == ("image adapter", ("flux",))
    assert own.facts == {"image_width": PROJECTION, "image_states": False}
    encoder = import_any(str(write_image_encoder(tmp_path / "image_encoder")))
    assert adapter_and_encoder("", "flux", "favourite") == (own, encoder)
    assert all(references("flux")) and not any(references("sdxl"))


def test_an_adapter_for_flux_that_reads_another_encoder_is_named(tmp_path: Path) -> None:
    state = {"image_proj.proj.0.weight": torch.zeros(8, 1152)}
    for part in ("to_k_ip", "to_v_ip", "norm_added_k"):
        state[f"ip_adapter.0.{part}.weight"] = torch.zeros(8, 4096)
    save_file(state, tmp_path / "ip-adapter.safetensors")
    with pytest.raises(NotRecognised, match="SigLIP"):
        import_any(str(tmp_path / "ip-adapter.safetensors"))
    assert own_files() == []


def test_an_encoder_of_unknown_heads_wants_its_configuration(tmp_path: Path) -> None:
    folder = write_image_encoder(tmp_path / "image_encoder")
    (folder / "config.json").unlink()
    with pytest.raises(NotRecognised) as refused:
        import_any(str(folder / "model.safetensors"))
    assert "config.json" in str(refused.value.hint) and own_files() == []


@pytest.mark.parametrize("change", ["face", "lora", "gap", "lacking", "flux", "width"])
def test_adapters_of_another_make_are_refused_with_a_sentence(adapter: Path, change: str) -> None:
    state = load_file(adapter)
    if change == "face":
        state["image_proj.perceiver_resampler.proj_in.weight"] = torch.zeros(4, 4)
    elif change == "lora":
        state["ip_adapter.0.to_q_lora.down.weight"] = torch.zeros(4, 4)
    elif change == "gap":
        del state["ip_adapter.3.to_v_ip.weight"]
    elif change == "lacking":
        del state["image_proj.proj.weight"]
    elif change == "flux":
        state = {"double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight": torch.zeros(1)}
    else:
        state["ip_adapter.1.to_k_ip.weight"] = torch.zeros(8, 1024)
    save_file(state, adapter)
    with pytest.raises(NotRecognised, match=r"(?i)image adapter|IP-Adapter"):
        import_any(str(adapter))
    assert own_files() == []


def test_an_encoder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = write_image_encoder(tmp_path / "image_encoder")
    state = load_file(folder / "model.safetensors")
    del state["vision_model.post_layernorm.weight"]
    save_file(state, folder / "model.safetensors")
    with pytest.raises(NotRecognised, match="no whole image encoder"):
        import_any(str(folder))
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"num_attention_heads": 5}))
    with pytest.raises(NotRecognised, match="image encoder"):
        import_any(str(folder))
    assert own_files() == []


def test_a_pickled_adapter_is_taken_over_as_well(adapter: Path, tmp_path: Path) -> None:
    nested: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in load_file(adapter).items():
        part, _, rest = name.partition(".")
        nested[part][rest] = tensor
    torch.save(nested, tmp_path / "ip-adapter_pickled.bin")
    own = import_any(str(tmp_path / "ip-adapter_pickled.bin"))
    assert (own.role, own.families) == ("image adapter", ("sd15",))
