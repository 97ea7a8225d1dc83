"""Whether the parts of a folder of Qwen-Image fit each other, found out without its numbers."""

from __future__ import annotations

from acetate.pipelines.language_rehearsal import rehearse_language_model
from acetate.pipelines.qwen.components import QwenBase
from acetate.pipelines.rehearsing import check_flow, rehearsing, unfit


def rehearse_folder(base: QwenBase, name: str) -> None:
    """Raises NotRecognised with what does not fit."""
    with rehearsing(name):
        _rehearse(base, name)


def _rehearse(base: QwenBase, name: str) -> None:
    transformer, vae = (base.on_meta(part).config for part in ("transformer", "vae"))
    if vae.get("input_channels", 3) != 3:
        raise unfit(name, "its autoencoder is not one of colour pictures")
    if not transformer["in_channels"] == 4 * transformer["out_channels"] == 4 * vae["z_dim"]:
        raise unfit(name, "its denoiser and its autoencoder are of different families")
    for entry in ("guidance_embeds", "use_additional_t_cond", "use_layer3d_rope"):
        if transformer.get(entry):
            raise unfit(name, f"its denoiser reads more than words and pictures ({entry})")
    encoder = base.config("text_encoder")
    # Older versions of transformers wrote what concerns words beside what concerns pictures.
    words = encoder.get("text_config", encoder)
    rehearse_language_model(base.folder / "text_encoder", words, name)
    if words["hidden_size"] != transformer["joint_attention_dim"]:
        raise unfit(name, "its denoiser was made for another text encoder")
    tokenizer = base.tokenizer()
    if max(tokenizer("a cat")["input_ids"]) >= words["vocab_size"]:
        raise unfit(name, "its tokenizer has more words than its text encoder")
    if base.edits and tokenizer("<|image_pad|>")["input_ids"] != [encoder["image_token_id"]]:
        raise unfit(name, "its tokenizer does not know the mark for a picture")
    check_flow(base.scheduler_config(), name)
