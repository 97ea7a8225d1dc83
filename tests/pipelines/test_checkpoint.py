from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from acetate.errors import ModelDamaged
from acetate.pipelines.clip import clip_tokenizer
from acetate.pipelines.single_file import CheckpointBase
from tests.support.original_layout import write_checkpoint

CPU = torch.device("cpu")
ENCODERS = {"text_encoder": CLIPTextModel, "text_encoder_2": CLIPTextModelWithProjection}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a checkpoint needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_every_network_of_a_checkpoint_is_found_without_the_hub(
    family: str, tmp_path: Path
) -> None:
    path = tmp_path / "favourite.safetensors"
    written = write_checkpoint(path, family)
    base = CheckpointBase(path, family)
    read = {
        "unet": base.denoiser(torch.float32, CPU),
        "vae": base.autoencoder(torch.float32, CPU),
    }
    for name in written.keys() & ENCODERS.keys():
        part = name.removeprefix("text_encoder")
        read[name] = base.text_encoder(ENCODERS[name], part, torch.float32, CPU)
    for name, network in written.items():
        expected, found = network.state_dict(), read[name].state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key].half().float()) for key in expected)
    own: Any = read["unet"].config
    config: Any = written["unet"].config
    for key in ("attention_head_dim", "use_linear_projection", "addition_time_embed_dim"):
        assert own[key] == config[key], key
    assert read["vae"].config["scaling_factor"] == {"sd15": 0.18215, "sdxl": 0.13025}[family]
    assert base.scheduler_config()["prediction_type"] == "epsilon"


def test_a_checkpoint_that_predicts_velocity_says_so(tmp_path: Path) -> None:
    path = tmp_path / "velocity.safetensors"
    write_checkpoint(path, "sd15")
    save_file({**load_file(path), "v_pred": torch.empty(0), "ztsnr": torch.empty(0)}, path)
    config = CheckpointBase(path, "sd15").scheduler_config()
    assert config["prediction_type"] == "v_prediction" and config["rescale_betas_zero_snr"]


@pytest.mark.parametrize("part", ["denoiser", "autoencoder"])
def test_what_a_checkpoint_lacks_is_named(part: str, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file({"cond_stage_model.transformer.x": torch.zeros(1)}, path)
    with pytest.raises(ModelDamaged, match=rf"half\.safetensors has no {part}"):
        getattr(CheckpointBase(path, "sd15"), part)(torch.float32, CPU)


def test_the_packaged_tokenizer_is_the_one_of_clip() -> None:
    tokenizer = clip_tokenizer()
    assert len(tokenizer) == 49408
    # As published with the first CLIP models.
    photo = [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer("a photo of a cat").input_ids == photo
    assert (tokenizer.pad_token_id, clip_tokenizer("!").pad_token_id) == (49407, 0)
