"""Whether the parts of a folder of Qwen-Image-2.1 fit each other, found out without its numbers."""

from __future__ import annotations

from pathlib import Path

from acetate.pipelines.language_rehearsal import rehearse_language_model
from acetate.pipelines.qwen21.components import Components
from acetate.pipelines.rehearsing import check_flow, rehearsing, unfit


def rehearse_folder(folder: Path, name: str) -> None:
    """Raises NotRecognised with what does not fit."""
    with rehearsing(name):
        _rehearse(folder, name)


def _rehearse(folder: Path, name: str) -> None:
    components = Components(folder)
    transformer, vae = (components.on_meta(part).config for part in ("transformer", "vae"))
    if not vae["in_channels"] == vae["out_channels"] == 4:
        raise unfit(name, "its autoencoder knows no transparency")
    if not transformer["in_channels"] == transformer["out_channels"] == vae["z_dim"]:
        raise unfit(name, "its denoiser and its autoencoder are of different families")
    encoder = components.config("text_encoder")
    rehearse_language_model(folder / "text_encoder", encoder["text_config"], name)
    if encoder["text_config"]["hidden_size"] != transformer["context_in_dim"]:
        raise unfit(name, "its denoiser was made for another text encoder")
    words = components.tokenizer()
    if words("<|image_pad|>")["input_ids"] != [encoder["image_token_id"]]:
        raise unfit(name, "its tokenizer does not know the mark for a picture")
    check_flow(components.scheduler_config(), name)
